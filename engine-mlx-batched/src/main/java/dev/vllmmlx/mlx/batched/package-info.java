/**
 * Continuous batching: one pass computes a token of every answer under way and pieces of prompts.
 *
 * <p>{@link dev.vllmmlx.mlx.batched.BatchLoop} is the walk of a step; {@link
 * dev.vllmmlx.mlx.batched.Scheduler} decides what is in it, {@link
 * dev.vllmmlx.mlx.batched.StepCost} how much of prompts may be, {@link
 * dev.vllmmlx.mlx.batched.PromptTurns} of whose; {@link dev.vllmmlx.mlx.batched.KvMemory} holds
 * keys and values, and {@link dev.vllmmlx.mlx.batched.BatchModel} computes. All of it belongs to
 * the engine's one thread, but for what says otherwise. What a sequence is, and how its tokens are
 * chosen, it shares with the simple engine.
 */
package dev.vllmmlx.mlx.batched;
