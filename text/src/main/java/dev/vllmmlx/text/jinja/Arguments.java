package dev.vllmmlx.text.jinja;

import java.util.List;
import java.util.Map;

/** The arguments of one call, before they are bound to parameters. */
public final class Arguments {
  private final Evaluation evaluation;
  private final List<Object> positional;
  private final Map<String, Object> named;

  Arguments(Evaluation evaluation, List<Object> positional, Map<String, Object> named) {
    this.evaluation = evaluation;
    this.positional = positional;
    this.named = named;
  }

  Evaluation evaluation() {
    return evaluation;
  }

  public List<Object> positional() {
    return positional;
  }

  /** In the order of the call. */
  public Map<String, Object> named() {
    return named;
  }
}
