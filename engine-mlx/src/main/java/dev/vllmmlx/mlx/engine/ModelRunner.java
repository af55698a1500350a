package dev.vllmmlx.mlx.engine;

import java.util.Map;

/** A loaded model. To be used on the thread that made it, and closed there. */
interface ModelRunner extends ServedModel {

  /** The model before its first token. */
  ModelState newState();

  /** Figures of what it takes, for the engine's status; any thread. */
  Map<String, Double> gauges();

  /** Nobody has asked for a while: gives memory back that is only kept for speed. */
  void rest();
}
