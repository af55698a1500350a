/**
 * Where checkpoints come from and which files they are: a folder, a {@code .gguf} file, a
 * repository of the Hugging Face hub, or the default model that a Python package carries.
 *
 * <p>{@link dev.vllmmlx.hub.ModelReference} is what a user wrote, {@link
 * dev.vllmmlx.hub.Checkpoint} is what lies on the disk, and {@link
 * dev.vllmmlx.hub.CheckpointSource} leads from one to the other. Downloads land in the standard
 * Hugging Face cache, so that models already there are found and Python's tools find ours. The
 * environment is read in one place, {@link dev.vllmmlx.hub.HubSettings}; everything else takes it
 * as an argument. This package knows no other module of the project.
 */
package dev.vllmmlx.hub;
