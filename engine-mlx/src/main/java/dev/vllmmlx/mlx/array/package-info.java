/**
 * MLX from Java: arrays, the functions on them, and who owns them.
 *
 * <p>{@link dev.vllmmlx.mlx.array.MlxThread} starts the one thread that may touch MLX; work is
 * handed to it. On it {@link dev.vllmmlx.mlx.array.Mlx} has the functions, each of which makes an
 * immutable {@link dev.vllmmlx.mlx.array.Array} that belongs to the innermost open {@link
 * dev.vllmmlx.mlx.array.Scope} and is freed with it. Functions only describe work: it is done by
 * {@code Mlx.eval} or when data is read.
 *
 * <pre>{@code
 * try (var thread = MlxThread.start("engine")) {
 *   float[] y = thread.call(() -> {
 *     try (var scope = Mlx.scope()) {
 *       var x = Mlx.array(new float[] {1, 2, 3, 4}, 2, 2);
 *       return Mlx.matmul(x, Mlx.add(x, 1)).toFloats();
 *     }
 *   });
 * }
 * }</pre>
 *
 * <p>Nothing here knows a model. The native side is {@code src/main/native}; {@code Native} lists
 * its functions.
 */
package dev.vllmmlx.mlx.array;
