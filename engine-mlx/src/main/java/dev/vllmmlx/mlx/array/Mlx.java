package dev.vllmmlx.mlx.array;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * MLX's functions, by their names in Python where they have one.
 *
 * <p>Only on an {@link MlxThread}, else {@link IllegalStateException}. Each makes an array of the
 * innermost open {@link Scope}; nothing is computed before {@link #eval} or before data is read.
 * Operands broadcast and their types promote as in MLX. What MLX refuses, such as shapes that do
 * not fit, is an {@link MlxException} with its message: at the call where MLX sees it, else at the
 * evaluation. Axes count from the end where negative.
 */
public final class Mlx {

  private Mlx() {}

  // Scopes, evaluation, memory

  /** Opens a scope that owns the arrays made from now on, until it closes. */
  public static Scope scope() {
    return Owner.current().open();
  }

  /**
   * The scope that new arrays belong to.
   *
   * @throws IllegalStateException if none is open
   */
  public static Scope innermostScope() {
    return Owner.current().innermost();
  }

  /**
   * Opens a scope beside the stack of scopes, for what outlives tasks; closed by its owner, or with
   * the thread.
   */
  public static Scope detachedScope() {
    return Owner.current().openDetached();
  }

  /** Makes an array in a scope of its own, which frees all but the result. */
  public static Array scoped(Supplier<Array> body) {
    try (var scope = scope()) {
      var result = body.get();
      return result.scope() == scope ? result.escape() : result;
    }
  }

  /** Computes arrays and waits for them. */
  public static void eval(Array... arrays) {
    var o = Owner.current();
    Native.run(Native.EVAL, o.handles(arrays), arrays.length);
  }

  /** Computes arrays and waits for them. */
  public static void eval(List<Array> arrays) {
    var o = Owner.current();
    Native.run(Native.EVAL, o.handles(arrays), arrays.size());
  }

  /** Starts to compute arrays; a later read waits for them. */
  public static void asyncEval(Array... arrays) {
    var o = Owner.current();
    Native.run(Native.ASYNC_EVAL, o.handles(arrays), arrays.length);
  }

  /** Starts to compute arrays; a later read waits for them. */
  public static void asyncEval(List<Array> arrays) {
    var o = Owner.current();
    Native.run(Native.ASYNC_EVAL, o.handles(arrays), arrays.size());
  }

  /**
   * Moves what evaluated arrays hold of this process's memory to large pages, where the system has
   * them: for weights, which stay.
   */
  public static void useLargePages(List<Array> arrays) {
    var o = Owner.current();
    Native.run(Native.USE_LARGE_PAGES, o.handles(arrays), arrays.size());
  }

  /** The memory that MLX keeps for its next arrays, at most; 0 keeps none. */
  public static void setCacheLimit(long bytes) {
    Owner.current();
    Native.run(Native.SET_CACHE_LIMIT, bytes);
  }

  /** A guideline for the memory of arrays; beyond it MLX gives its cache back first. */
  public static void setMemoryLimit(long bytes) {
    Owner.current();
    Native.run(Native.SET_MEMORY_LIMIT, bytes);
  }

  /** Gives the memory that MLX keeps for its next arrays back to the system. */
  public static void clearCache() {
    Owner.current();
    Native.run(Native.CLEAR_CACHE);
  }

  public static void resetPeakMemory() {
    Owner.current();
    Native.run(Native.RESET_PEAK_MEMORY);
  }

  /** The version of MLX, such as {@code 0.32.4}. Any thread. */
  public static String version() {
    return Native.version();
  }

  // Making arrays

  /** A float32 array with a copy of the values, row by row; of one axis where no shape is given. */
  public static Array array(float[] values, int... shape) {
    return array(MemorySegment.ofArray(values), DType.FLOAT32, orLength(shape, values.length));
  }

  /** An int32 array with a copy of the values, row by row; of one axis where no shape is given. */
  public static Array array(int[] values, int... shape) {
    return array(MemorySegment.ofArray(values), DType.INT32, orLength(shape, values.length));
  }

  /** A bool array with a copy of the values, row by row; of one axis where no shape is given. */
  public static Array array(boolean[] values, int... shape) {
    var bytes = new byte[values.length];
    for (var i = 0; i < values.length; i++) {
      bytes[i] = (byte) (values[i] ? 1 : 0);
    }
    return array(MemorySegment.ofArray(bytes), DType.BOOL, orLength(shape, values.length));
  }

  /** An array with a copy of the data, which must fill the shape exactly. */
  public static Array array(MemorySegment data, DType type, int... shape) {
    var o = Owner.current();
    try (var arena = data.isNative() ? null : Arena.ofConfined()) {
      var source =
          arena == null ? data : arena.allocate(Math.max(1, data.byteSize())).copyFrom(data);
      return o.own(
          Native.make(
              Native.FROM_DATA,
              source.address(),
              data.byteSize(),
              o.ints(shape),
              shape.length,
              type.code()));
    }
  }

  /** A scalar. */
  public static Array scalar(double value, DType type) {
    return full(value, type);
  }

  public static Array full(double value, DType type, int... shape) {
    var o = Owner.current();
    return o.own(Native.make(Native.FULL, o.ints(shape), shape.length, value, type.code()));
  }

  public static Array zeros(DType type, int... shape) {
    return full(0, type, shape);
  }

  /**
   * Room whose contents do not matter, of which, on a CPU, the system gives a page when it is first
   * written to: memory for a cache that may never fill up.
   */
  public static Array reserved(DType type, int... shape) {
    var o = Owner.current();
    return o.own(Native.make(Native.RESERVE, o.ints(shape), shape.length, type.code()));
  }

  /**
   * Copies one element of the first axis over another, at once and in place. Everything that shares
   * the memory sees it: for caches that have one owner.
   */
  public static void copyInPlace(Array array, int from, int to) {
    var o = Owner.current();
    Native.run(Native.COPY_IN_PLACE, o.use(array), from, to);
  }

  /**
   * Copies one element of the first axis, in its own type and row by row, at once.
   *
   * @param into native, with room for it: {@code bytes / dim(0)}
   */
  public static void copyOut(Array array, int at, MemorySegment into) {
    var o = Owner.current();
    checkRoom(array, into);
    Native.run(Native.COPY_OUT, o.use(array), at, into.address());
  }

  /**
   * Copies such an element over one of the first axis, at once and in place: see {@link
   * #copyInPlace}.
   *
   * @param from native, and at least as long as the element
   */
  public static void copyIn(Array array, int at, MemorySegment from) {
    var o = Owner.current();
    checkRoom(array, from);
    Native.run(Native.COPY_IN, o.use(array), at, from.address());
  }

  private static void checkRoom(Array array, MemorySegment segment) {
    if (!segment.isNative() || segment.byteSize() < array.bytes() / array.dim(0)) {
      throw new IllegalArgumentException("no native segment of the element's size");
    }
  }

  public static Array ones(DType type, int... shape) {
    return full(1, type, shape);
  }

  /** {@code start, start + step, ...} below {@code stop}. */
  public static Array arange(double start, double stop, double step, DType type) {
    var o = Owner.current();
    return o.own(Native.make(Native.ARANGE, start, stop, step, type.code()));
  }

  /** int32 numbers of {@code [start, stop)}. */
  public static Array arange(int start, int stop) {
    return arange(start, stop, 1, DType.INT32);
  }

  /** The same numbers for the same seed, as {@code mx.random.uniform} with {@code key(seed)}. */
  public static Array randomUniform(long seed, double low, double high, DType type, int... shape) {
    var o = Owner.current();
    return o.own(
        Native.make(
            Native.RANDOM_UNIFORM, seed, low, high, o.ints(shape), shape.length, type.code()));
  }

  /** The same numbers for the same seed, as {@code mx.random.normal} with {@code key(seed)}. */
  public static Array randomNormal(
      long seed, double mean, double deviation, DType type, int... shape) {
    var o = Owner.current();
    return o.own(
        Native.make(
            Native.RANDOM_NORMAL, seed, mean, deviation, o.ints(shape), shape.length, type.code()));
  }

  /** A second array on the same data, owned by the innermost scope. */
  public static Array share(Array a) {
    return unary(Native.SHARE, a);
  }

  // Files

  /**
   * Opens a {@code .safetensors} file.
   *
   * @throws MlxException where there is none, or it cannot be read as one
   */
  public static SafetensorsFile loadSafetensors(Path path) {
    return ArrayFiles.safetensors(path);
  }

  /**
   * The arrays of a {@code .gguf} file by name, in the order of names; they belong to the open
   * scope. MLX gives Q4_0, Q4_1 and Q8_0 tensors as packed weights with {@code .scales} and {@code
   * .biases} in groups of 32, and other types as float16. The metadata are for {@code hub} to read.
   *
   * @throws MlxException where there is none, or it cannot be read as one
   */
  public static Map<String, Array> loadGguf(Path path) {
    return ArrayFiles.gguf(path);
  }

  /** Evaluates the arrays and writes them to a {@code .safetensors} file. */
  public static void saveSafetensors(
      Path path, Map<String, Array> arrays, Map<String, String> metadata) {
    ArrayFiles.saveSafetensors(path, arrays, metadata);
  }

  /** Evaluates the arrays and writes them to a {@code .gguf} file, unquantized. */
  public static void saveGguf(Path path, Map<String, Array> arrays) {
    ArrayFiles.saveGguf(path, arrays);
  }

  // Element by element

  /** {@code a + b}. */
  public static Array add(Array a, Array b) {
    return binary(Native.ADD, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array add(Array a, double b) {
    return binary(Native.ADD, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array add(Array a, int b) {
    return binary(Native.ADD, a, b);
  }

  /** {@code a - b}. */
  public static Array subtract(Array a, Array b) {
    return binary(Native.SUBTRACT, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array subtract(Array a, double b) {
    return binary(Native.SUBTRACT, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array subtract(Array a, int b) {
    return binary(Native.SUBTRACT, a, b);
  }

  /** {@code a * b}. */
  public static Array multiply(Array a, Array b) {
    return binary(Native.MULTIPLY, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array multiply(Array a, double b) {
    return binary(Native.MULTIPLY, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array multiply(Array a, int b) {
    return binary(Native.MULTIPLY, a, b);
  }

  /** {@code a / b}; integers become float32. */
  public static Array divide(Array a, Array b) {
    return binary(Native.DIVIDE, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array divide(Array a, double b) {
    return binary(Native.DIVIDE, a, b);
  }

  /** The quotient rounded down. */
  public static Array floorDivide(Array a, Array b) {
    return binary(Native.FLOOR_DIVIDE, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array floorDivide(Array a, double b) {
    return binary(Native.FLOOR_DIVIDE, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array floorDivide(Array a, int b) {
    return binary(Native.FLOOR_DIVIDE, a, b);
  }

  /** The remainder with the sign of the divisor, as Python's {@code %}. */
  public static Array remainder(Array a, Array b) {
    return binary(Native.REMAINDER, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array remainder(Array a, double b) {
    return binary(Native.REMAINDER, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array remainder(Array a, int b) {
    return binary(Native.REMAINDER, a, b);
  }

  /** {@code a} to the power of {@code b}. */
  public static Array power(Array a, Array b) {
    return binary(Native.POWER, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array power(Array a, double b) {
    return binary(Native.POWER, a, b);
  }

  /** The larger. */
  public static Array maximum(Array a, Array b) {
    return binary(Native.MAXIMUM, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array maximum(Array a, double b) {
    return binary(Native.MAXIMUM, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array maximum(Array a, int b) {
    return binary(Native.MAXIMUM, a, b);
  }

  /** The smaller. */
  public static Array minimum(Array a, Array b) {
    return binary(Native.MINIMUM, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array minimum(Array a, double b) {
    return binary(Native.MINIMUM, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array minimum(Array a, int b) {
    return binary(Native.MINIMUM, a, b);
  }

  /** A bool array. */
  public static Array equal(Array a, Array b) {
    return binary(Native.EQUAL, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array equal(Array a, double b) {
    return binary(Native.EQUAL, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array equal(Array a, int b) {
    return binary(Native.EQUAL, a, b);
  }

  /** A bool array. */
  public static Array notEqual(Array a, Array b) {
    return binary(Native.NOT_EQUAL, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array notEqual(Array a, double b) {
    return binary(Native.NOT_EQUAL, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array notEqual(Array a, int b) {
    return binary(Native.NOT_EQUAL, a, b);
  }

  /** A bool array. */
  public static Array less(Array a, Array b) {
    return binary(Native.LESS, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array less(Array a, double b) {
    return binary(Native.LESS, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array less(Array a, int b) {
    return binary(Native.LESS, a, b);
  }

  /** A bool array. */
  public static Array lessEqual(Array a, Array b) {
    return binary(Native.LESS_EQUAL, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array lessEqual(Array a, double b) {
    return binary(Native.LESS_EQUAL, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array lessEqual(Array a, int b) {
    return binary(Native.LESS_EQUAL, a, b);
  }

  /** A bool array. */
  public static Array greater(Array a, Array b) {
    return binary(Native.GREATER, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array greater(Array a, double b) {
    return binary(Native.GREATER, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array greater(Array a, int b) {
    return binary(Native.GREATER, a, b);
  }

  /** A bool array. */
  public static Array greaterEqual(Array a, Array b) {
    return binary(Native.GREATER_EQUAL, a, b);
  }

  /** With a real scalar, which takes the type of a float array. */
  public static Array greaterEqual(Array a, double b) {
    return binary(Native.GREATER_EQUAL, a, b);
  }

  /** With a whole scalar, which takes the type of the array. */
  public static Array greaterEqual(Array a, int b) {
    return binary(Native.GREATER_EQUAL, a, b);
  }

  public static Array logicalAnd(Array a, Array b) {
    return binary(Native.LOGICAL_AND, a, b);
  }

  public static Array logicalOr(Array a, Array b) {
    return binary(Native.LOGICAL_OR, a, b);
  }

  public static Array abs(Array a) {
    return unary(Native.ABS, a);
  }

  public static Array negative(Array a) {
    return unary(Native.NEGATIVE, a);
  }

  public static Array exp(Array a) {
    return unary(Native.EXP, a);
  }

  public static Array log(Array a) {
    return unary(Native.LOG, a);
  }

  public static Array sqrt(Array a) {
    return unary(Native.SQRT, a);
  }

  /** {@code 1 / sqrt(a)}. */
  public static Array rsqrt(Array a) {
    return unary(Native.RSQRT, a);
  }

  public static Array square(Array a) {
    return unary(Native.SQUARE, a);
  }

  public static Array sin(Array a) {
    return unary(Native.SIN, a);
  }

  public static Array cos(Array a) {
    return unary(Native.COS, a);
  }

  public static Array tanh(Array a) {
    return unary(Native.TANH, a);
  }

  /** The error function. */
  public static Array erf(Array a) {
    return unary(Native.ERF, a);
  }

  /** {@code 1 / (1 + exp(-a))}. */
  public static Array sigmoid(Array a) {
    return unary(Native.SIGMOID, a);
  }

  /** {@code a * sigmoid(a)}. */
  public static Array silu(Array a) {
    return unary(Native.SILU, a);
  }

  public static Array floor(Array a) {
    return unary(Native.FLOOR, a);
  }

  /** To the nearest whole number, halves to the even one. */
  public static Array round(Array a) {
    return unary(Native.ROUND, a);
  }

  public static Array logicalNot(Array a) {
    return unary(Native.LOGICAL_NOT, a);
  }

  public static Array isNan(Array a) {
    return unary(Native.ISNAN, a);
  }

  public static Array isFinite(Array a) {
    return unary(Native.ISFINITE, a);
  }

  /** {@code a} where the condition holds, {@code b} elsewhere. */
  public static Array where(Array condition, Array a, Array b) {
    var o = Owner.current();
    return o.own(Native.make(Native.WHERE, o.use(condition), o.use(a), o.use(b)));
  }

  /** Values below {@code low} or above {@code high} become these. */
  public static Array clip(Array a, double low, double high) {
    var o = Owner.current();
    return o.own(Native.make(Native.CLIP, o.use(a), low, high));
  }

  /** Converts the elements; the same array where they have the type already. */
  public static Array astype(Array a, DType type) {
    var o = Owner.current();
    return a.dtype() == type ? a : o.own(Native.make(Native.ASTYPE, o.use(a), type.code()));
  }

  /**
   * The same bits read as another type; the last axis changes its length where their sizes differ.
   */
  public static Array viewAs(Array a, DType type) {
    var o = Owner.current();
    return o.own(Native.make(Native.VIEW_AS, o.use(a), type.code()));
  }

  // Shapes

  /** One length may be -1: what remains. */
  public static Array reshape(Array a, int... shape) {
    return withInts(Native.RESHAPE, a, shape);
  }

  /** Reorders the axes; reverses them where none are given. */
  public static Array transpose(Array a, int... axes) {
    return withInts(Native.TRANSPOSE, a, axes);
  }

  public static Array swapAxes(Array a, int first, int second) {
    return twoInts(Native.SWAPAXES, a, first, second);
  }

  /** Puts in an axis of length 1. */
  public static Array expandDims(Array a, int axis) {
    return oneInt(Native.EXPAND_DIMS, a, axis);
  }

  /** Takes out an axis of length 1. */
  public static Array squeeze(Array a, int axis) {
    return oneInt(Native.SQUEEZE, a, axis);
  }

  /** Joins the axes from {@code first} to {@code last} into one. */
  public static Array flatten(Array a, int first, int last) {
    return twoInts(Native.FLATTEN, a, first, last);
  }

  public static Array broadcastTo(Array a, int... shape) {
    return withInts(Native.BROADCAST_TO, a, shape);
  }

  /** The elements laid out row by row, copied where they are not. */
  public static Array contiguous(Array a) {
    return unary(Native.CONTIGUOUS, a);
  }

  /** {@code [start, stop)} of one axis, all of the others; negative bounds count from the end. */
  public static Array slice(Array a, int axis, int start, int stop) {
    var o = Owner.current();
    return o.own(Native.make(Native.SLICE, o.use(a), bounds(o, a, axis, start, stop), a.rank()));
  }

  /** {@code [start, stop)} of each axis, every {@code stride}-th. */
  public static Array slice(Array a, int[] starts, int[] stops, int[] strides) {
    var o = Owner.current();
    return o.own(
        Native.make(Native.SLICE, o.use(a), bounds(o, starts, stops, strides), starts.length));
  }

  /**
   * {@code a} with {@code [start, stop)} of one axis replaced. Where nothing else holds {@code a}
   * when it is evaluated, MLX writes in place.
   */
  public static Array sliceUpdate(Array a, Array update, int axis, int start, int stop) {
    var o = Owner.current();
    return o.own(
        Native.make(
            Native.SLICE_UPDATE,
            o.use(a),
            o.use(update),
            bounds(o, a, axis, start, stop),
            a.rank()));
  }

  /** {@code a} with {@code [start, stop)} of each axis replaced, every {@code stride}-th. */
  public static Array sliceUpdate(Array a, Array update, int[] starts, int[] stops, int[] strides) {
    var o = Owner.current();
    return o.own(
        Native.make(
            Native.SLICE_UPDATE,
            o.use(a),
            o.use(update),
            bounds(o, starts, stops, strides),
            starts.length));
  }

  /** Joins along an axis that they have. */
  public static Array concatenate(List<Array> arrays, int axis) {
    var o = Owner.current();
    return o.own(Native.make(Native.CONCATENATE, o.handles(arrays), arrays.size(), axis));
  }

  /** Joins along a new axis. */
  public static Array stack(List<Array> arrays, int axis) {
    var o = Owner.current();
    return o.own(Native.make(Native.STACK, o.handles(arrays), arrays.size(), axis));
  }

  /** Cuts into equal parts. */
  public static List<Array> split(Array a, int parts, int axis) {
    var o = Owner.current();
    var out = o.room(8L * parts);
    Native.run(Native.SPLIT, o.use(a), parts, axis, out.address());
    return owned(o, out, parts);
  }

  /** Each element {@code times} times, one after the other, along an axis. */
  public static Array repeat(Array a, int times, int axis) {
    return twoInts(Native.REPEAT, a, times, axis);
  }

  /**
   * Gathers along an axis: {@code take(table, ids, 0)} looks rows up.
   *
   * @param indices whole numbers; MLX does not check them: one out of range reads what lies there
   */
  public static Array take(Array a, Array indices, int axis) {
    var o = Owner.current();
    return o.own(Native.make(Native.TAKE, o.use(a), o.use(indices), axis));
  }

  /**
   * For each place of {@code indices}, the element of that index along the axis; unchecked as
   * {@link #take}.
   */
  public static Array takeAlongAxis(Array a, Array indices, int axis) {
    var o = Owner.current();
    return o.own(Native.make(Native.TAKE_ALONG_AXIS, o.use(a), o.use(indices), axis));
  }

  /** {@code a} with values put where {@link #takeAlongAxis} would read. */
  public static Array putAlongAxis(Array a, Array indices, Array values, int axis) {
    var o = Owner.current();
    return o.own(Native.make(Native.PUT_ALONG_AXIS, o.use(a), o.use(indices), o.use(values), axis));
  }

  /** Zero above the given diagonal of the last two axes. */
  public static Array tril(Array a, int diagonal) {
    return oneInt(Native.TRIL, a, diagonal);
  }

  // Along an axis

  public static Array sum(Array a, int axis) {
    return twoInts(Native.SUM, a, axis, 0);
  }

  /** The axis stays, with length 1, if {@code keepDims}. */
  public static Array sum(Array a, int axis, boolean keepDims) {
    return twoInts(Native.SUM, a, axis, keepDims ? 1 : 0);
  }

  public static Array mean(Array a, int axis) {
    return twoInts(Native.MEAN, a, axis, 0);
  }

  /** The axis stays, with length 1, if {@code keepDims}. */
  public static Array mean(Array a, int axis, boolean keepDims) {
    return twoInts(Native.MEAN, a, axis, keepDims ? 1 : 0);
  }

  public static Array max(Array a, int axis) {
    return twoInts(Native.MAX, a, axis, 0);
  }

  /** The axis stays, with length 1, if {@code keepDims}. */
  public static Array max(Array a, int axis, boolean keepDims) {
    return twoInts(Native.MAX, a, axis, keepDims ? 1 : 0);
  }

  public static Array min(Array a, int axis) {
    return twoInts(Native.MIN, a, axis, 0);
  }

  /** The axis stays, with length 1, if {@code keepDims}. */
  public static Array min(Array a, int axis, boolean keepDims) {
    return twoInts(Native.MIN, a, axis, keepDims ? 1 : 0);
  }

  public static Array all(Array a, int axis) {
    return twoInts(Native.ALL, a, axis, 0);
  }

  /** The axis stays, with length 1, if {@code keepDims}. */
  public static Array all(Array a, int axis, boolean keepDims) {
    return twoInts(Native.ALL, a, axis, keepDims ? 1 : 0);
  }

  public static Array any(Array a, int axis) {
    return twoInts(Native.ANY, a, axis, 0);
  }

  /** The axis stays, with length 1, if {@code keepDims}. */
  public static Array any(Array a, int axis, boolean keepDims) {
    return twoInts(Native.ANY, a, axis, keepDims ? 1 : 0);
  }

  /** {@code log(sum(exp(a)))} without overflow. */
  public static Array logSumExp(Array a, int axis) {
    return twoInts(Native.LOGSUMEXP, a, axis, 0);
  }

  /** The axis stays, with length 1, if {@code keepDims}. */
  public static Array logSumExp(Array a, int axis, boolean keepDims) {
    return twoInts(Native.LOGSUMEXP, a, axis, keepDims ? 1 : 0);
  }

  /** The first place of the largest, uint32. */
  public static Array argMax(Array a, int axis) {
    return twoInts(Native.ARGMAX, a, axis, 0);
  }

  /** The axis stays, with length 1, if {@code keepDims}. */
  public static Array argMax(Array a, int axis, boolean keepDims) {
    return twoInts(Native.ARGMAX, a, axis, keepDims ? 1 : 0);
  }

  /** The first place of the smallest, uint32. */
  public static Array argMin(Array a, int axis) {
    return twoInts(Native.ARGMIN, a, axis, 0);
  }

  /** The axis stays, with length 1, if {@code keepDims}. */
  public static Array argMin(Array a, int axis, boolean keepDims) {
    return twoInts(Native.ARGMIN, a, axis, keepDims ? 1 : 0);
  }

  public static Array softmax(Array a, int axis) {
    return twoInts(Native.SOFTMAX, a, axis, 0);
  }

  /** Computed in float32 for half types. */
  public static Array preciseSoftmax(Array a, int axis) {
    return twoInts(Native.SOFTMAX, a, axis, 1);
  }

  public static Array cumSum(Array a, int axis) {
    return oneInt(Native.CUMSUM, a, axis);
  }

  /** Ascending. */
  public static Array sort(Array a, int axis) {
    return oneInt(Native.SORT, a, axis);
  }

  /** The places of ascending values, uint32. */
  public static Array argSort(Array a, int axis) {
    return oneInt(Native.ARGSORT, a, axis);
  }

  /**
   * Places, uint32, so that what comes before {@code kth} is not larger and what comes after not
   * smaller.
   */
  public static Array argPartition(Array a, int kth, int axis) {
    return twoInts(Native.ARGPARTITION, a, kth, axis);
  }

  /** The k largest values, in no set order. */
  public static Array topK(Array a, int k, int axis) {
    return twoInts(Native.TOPK, a, k, axis);
  }

  // Matrix products

  public static Array matmul(Array a, Array b) {
    var o = Owner.current();
    return o.own(Native.make(Native.MATMUL, o.use(a), o.use(b)));
  }

  /** {@code x w^T}: {@code [..., inputs] -> [..., outputs]} with {@code w [outputs, inputs]}. */
  public static Array linear(Array x, Array w) {
    return linear(x, w, Optional.empty());
  }

  /** {@code x w^T + bias}, bias {@code [outputs]}. */
  public static Array linear(Array x, Array w, Optional<Array> bias) {
    var o = Owner.current();
    return o.own(Native.make(Native.LINEAR, o.use(x), o.use(w), o.useOrNull(bias.orElse(null))));
  }

  /** {@code beta c + alpha a b}. */
  public static Array addmm(Array c, Array a, Array b, float alpha, float beta) {
    var o = Owner.current();
    return o.own(Native.make(Native.ADDMM, o.use(c), o.use(a), o.use(b), alpha, beta));
  }

  /** The parts of MLX's affine quantization: {@code w = scale * q + bias} in each group. */
  public record Quantized(Array weight, Array scales, Array biases) {}

  /**
   * Packs a matrix.
   *
   * @param w {@code [..., inputs]}
   * @param groupSize 32, 64 or 128 inputs that share a scale and a bias
   * @param bits 2, 3, 4, 5, 6 or 8
   */
  public static Quantized quantize(Array w, int groupSize, int bits) {
    var o = Owner.current();
    var out = o.room(24);
    Native.run(Native.QUANTIZE, o.use(w), groupSize, bits, out.address());
    var parts = owned(o, out, 3);
    return new Quantized(parts.get(0), parts.get(1), parts.get(2));
  }

  public static Array dequantize(Array w, Array scales, Array biases, int groupSize, int bits) {
    var o = Owner.current();
    return o.own(
        Native.make(Native.DEQUANTIZE, o.use(w), o.use(scales), o.use(biases), groupSize, bits));
  }

  /**
   * {@code x} times a packed matrix.
   *
   * @param transpose whether {@code w} is {@code [outputs, inputs]}, as checkpoints have it
   */
  public static Array quantizedMatmul(
      Array x, Array w, Array scales, Array biases, boolean transpose, int groupSize, int bits) {
    var o = Owner.current();
    return o.own(
        Native.make(
            Native.QUANTIZED_MATMUL,
            o.use(x),
            o.use(w),
            o.use(scales),
            o.use(biases),
            transpose ? 1 : 0,
            groupSize,
            bits));
  }

  // What transformer layers are made of

  /** {@code x / sqrt(mean(x^2) + eps) * weight} over the last axis. */
  public static Array rmsNorm(Array x, Array weight, float eps) {
    var o = Owner.current();
    return o.own(Native.make(Native.RMS_NORM, o.use(x), o.useOrNull(weight), eps));
  }

  /** Mean 0 and variance 1 over the last axis, then {@code weight} and {@code bias}. */
  public static Array layerNorm(Array x, Optional<Array> weight, Optional<Array> bias, float eps) {
    var o = Owner.current();
    return o.own(
        Native.make(
            Native.LAYER_NORM,
            o.use(x),
            o.useOrNull(weight.orElse(null)),
            o.useOrNull(bias.orElse(null)),
            eps));
  }

  /**
   * Rotates pairs of elements by angles that grow with the position.
   *
   * @param x {@code [batch, heads, rows, headDim]}
   * @param dims how many elements of a head turn
   * @param traditional whether neighbours are a pair, else an element and the one half of {@code
   *     dims} further
   * @param base the RoPE theta; not used where there are wavelengths
   * @param scale of positions
   * @param offset the position of the first row
   * @param wavelengths {@code [dims / 2]}: a pair's angle is {@code scale * position / wavelength}
   */
  public static Array rope(
      Array x,
      int dims,
      boolean traditional,
      float base,
      float scale,
      int offset,
      Optional<Array> wavelengths) {
    var o = Owner.current();
    return o.own(
        Native.make(
            Native.ROPE,
            o.use(x),
            dims,
            traditional ? 1 : 0,
            base,
            scale,
            offset,
            o.useOrNull(wavelengths.orElse(null))));
  }

  /**
   * {@link #rope} with an offset for each entry of the first axis, {@code offsets [batch]}, int32.
   */
  public static Array rope(
      Array x,
      int dims,
      boolean traditional,
      float base,
      float scale,
      Array offsets,
      Optional<Array> wavelengths) {
    var o = Owner.current();
    return o.own(
        Native.make(
            Native.ROPE_AT,
            o.use(x),
            dims,
            traditional ? 1 : 0,
            base,
            scale,
            o.use(offsets),
            o.useOrNull(wavelengths.orElse(null))));
  }

  /**
   * {@code softmax(q k^T * scale) v}: every row sees every key.
   *
   * @param q {@code [batch, heads, rows, headDim]}
   * @param k {@code [batch, kvHeads, keys, headDim]}, {@code heads} a multiple of {@code kvHeads}
   * @param v {@code [batch, kvHeads, keys, valueDim]}
   * @return {@code [batch, heads, rows, valueDim]}
   */
  public static Array attention(Array q, Array k, Array v, float scale) {
    return attention(q, k, v, scale, false, null);
  }

  /** {@link #attention} where the last row sees all keys, and each row before it one less. */
  public static Array causalAttention(Array q, Array k, Array v, float scale) {
    return attention(q, k, v, scale, true, null);
  }

  /**
   * {@link #attention} under a mask.
   *
   * @param mask broadcastable to {@code [batch, heads, rows, keys]}: bool, true where a row sees a
   *     key, or a float to add
   */
  public static Array maskedAttention(Array q, Array k, Array v, float scale, Array mask) {
    return attention(q, k, v, scale, false, mask);
  }

  private static Array attention(
      Array q, Array k, Array v, float scale, boolean causal, Array mask) {
    var o = Owner.current();
    return o.own(
        Native.make(
            Native.ATTENTION,
            o.use(q),
            o.use(k),
            o.use(v),
            scale,
            causal ? 1 : 0,
            o.useOrNull(mask)));
  }

  /** {@code activation(gate) * up}. */
  public static Array gated(Activation activation, Array gate, Array up) {
    var o = Owner.current();
    return o.own(Native.make(Native.GATED, o.use(gate), o.use(up), activation.ordinal()));
  }

  // Shapes of calls

  private static Array unary(MethodHandle f, Array a) {
    var o = Owner.current();
    return o.own(Native.make(f, o.use(a)));
  }

  private static Array binary(Native.Binary f, Array a, Array b) {
    var o = Owner.current();
    return o.own(Native.make(f.arrays(), o.use(a), o.use(b)));
  }

  private static Array binary(Native.Binary f, Array a, double b) {
    var o = Owner.current();
    return o.own(Native.make(f.scalar(), o.use(a), b, 1));
  }

  private static Array binary(Native.Binary f, Array a, int b) {
    var o = Owner.current();
    return o.own(Native.make(f.scalar(), o.use(a), (double) b, 0));
  }

  private static Array oneInt(MethodHandle f, Array a, int first) {
    var o = Owner.current();
    return o.own(Native.make(f, o.use(a), first));
  }

  private static Array twoInts(MethodHandle f, Array a, int first, int second) {
    var o = Owner.current();
    return o.own(Native.make(f, o.use(a), first, second));
  }

  private static Array withInts(MethodHandle f, Array a, int... values) {
    var o = Owner.current();
    return o.own(Native.make(f, o.use(a), o.ints(values), values.length));
  }

  /** Starts, stops and strides of all axes, of which one is cut. */
  private static long bounds(Owner o, Array a, int axis, int start, int stop) {
    var rank = a.rank();
    var cut = axis < 0 ? axis + rank : axis;
    if (cut < 0 || cut >= rank) {
      throw new MlxException(
          "[slice] axis %d is not one of an array with %d axes".formatted(axis, rank));
    }
    var bounds = new int[3 * rank];
    for (var i = 0; i < rank; i++) {
      bounds[i] = i == cut ? start : 0;
      bounds[rank + i] = i == cut ? stop : a.dim(i);
      bounds[2 * rank + i] = 1;
    }
    return o.ints(bounds);
  }

  private static long bounds(Owner o, int[] starts, int[] stops, int[] strides) {
    var rank = starts.length;
    if (stops.length != rank || strides.length != rank) {
      throw new MlxException(
          "[slice] %d starts, %d stops and %d strides"
              .formatted(rank, stops.length, strides.length));
    }
    var bounds = new int[3 * rank];
    System.arraycopy(starts, 0, bounds, 0, rank);
    System.arraycopy(stops, 0, bounds, rank, rank);
    System.arraycopy(strides, 0, bounds, 2 * rank, rank);
    return o.ints(bounds);
  }

  private static List<Array> owned(Owner o, MemorySegment handles, int count) {
    var arrays = new ArrayList<Array>(count);
    for (var i = 0; i < count; i++) {
      arrays.add(o.own(handles.getAtIndex(ValueLayout.JAVA_LONG, i)));
    }
    return arrays;
  }

  private static int[] orLength(int[] shape, int length) {
    return shape.length == 0 ? new int[] {length} : shape;
  }
}
