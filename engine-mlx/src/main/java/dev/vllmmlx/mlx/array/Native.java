package dev.vllmmlx.mlx.array;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The functions of the shim ({@code src/main/native}), each bound once.
 *
 * <p>All that goes over is a {@code long} or a {@code double}, handles and addresses too: no
 * segment is made for a call, and few functions differ in their types, each set of which costs a
 * start some 10 ms. The {@code make} and {@code run} methods are so small that the compiler puts
 * them into their callers, where the method handle is a constant.
 */
final class Native {

  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup LIBRARY =
      SymbolLookup.libraryLookup(NativeLibraries.shim(), Arena.global());

  private static final MemoryLayout J = JAVA_LONG; // a handle, an address or a number
  private static final MemoryLayout D = JAVA_DOUBLE;

  // runtime.cpp
  private static final MethodHandle ERROR = bind("error");
  private static final MethodHandle VERSION = bind("version");
  private static final MethodHandle HAS_GPU = bind("has_gpu");
  private static final MethodHandle FREE = bind("free", J, J);
  private static final MethodHandle LIVE_HANDLES = bind("live_handles");
  private static final MethodHandle ACTIVE_MEMORY = bind("active_memory");
  private static final MethodHandle PEAK_MEMORY = bind("peak_memory");
  private static final MethodHandle CACHE_MEMORY = bind("cache_memory");
  static final MethodHandle USE_DEVICE = bind("use_device", J);
  static final MethodHandle LEAVE_THREAD = bind("leave_thread");
  static final MethodHandle RESET_PEAK_MEMORY = bind("reset_peak_memory");
  static final MethodHandle SET_CACHE_LIMIT = bind("set_cache_limit", J);
  static final MethodHandle SET_MEMORY_LIMIT = bind("set_memory_limit", J);
  static final MethodHandle CLEAR_CACHE = bind("clear_cache");

  // arrays.cpp
  static final MethodHandle FROM_DATA = bind("from_data", J, J, J, J, J);
  static final MethodHandle RESERVE = bind("reserve", J, J, J);
  static final MethodHandle COPY_IN_PLACE = bind("copy_in_place", J, J, J);
  static final MethodHandle COPY_OUT = bind("copy_out", J, J, J);
  static final MethodHandle COPY_IN = bind("copy_in", J, J, J);
  static final MethodHandle FULL = bind("full", J, J, D, J);
  static final MethodHandle ARANGE = bind("arange", D, D, D, J);
  static final MethodHandle RANDOM_UNIFORM = bind("random_uniform", J, D, D, J, J, J);
  static final MethodHandle RANDOM_NORMAL = bind("random_normal", J, D, D, J, J, J);
  static final MethodHandle SHARE = bind("share", J);
  static final MethodHandle DESCRIBE = bind("describe", J, J, J);
  static final MethodHandle EVAL = bind("eval", J, J);
  static final MethodHandle ASYNC_EVAL = bind("async_eval", J, J);
  static final MethodHandle USE_LARGE_PAGES = bind("use_large_pages", J, J);
  private static final MethodHandle ADDRESS = bind("address", J);

  // elementwise.cpp
  static final MethodHandle ABS = bind("abs", J);
  static final MethodHandle NEGATIVE = bind("negative", J);
  static final MethodHandle EXP = bind("exp", J);
  static final MethodHandle LOG = bind("log", J);
  static final MethodHandle SQRT = bind("sqrt", J);
  static final MethodHandle RSQRT = bind("rsqrt", J);
  static final MethodHandle SQUARE = bind("square", J);
  static final MethodHandle SIN = bind("sin", J);
  static final MethodHandle COS = bind("cos", J);
  static final MethodHandle TANH = bind("tanh", J);
  static final MethodHandle ERF = bind("erf", J);
  static final MethodHandle SIGMOID = bind("sigmoid", J);
  static final MethodHandle SILU = bind("silu", J);
  static final MethodHandle FLOOR = bind("floor", J);
  static final MethodHandle ROUND = bind("round", J);
  static final MethodHandle LOGICAL_NOT = bind("logical_not", J);
  static final MethodHandle ISNAN = bind("isnan", J);
  static final MethodHandle ISFINITE = bind("isfinite", J);
  static final Binary ADD = Binary.of("add");
  static final Binary SUBTRACT = Binary.of("subtract");
  static final Binary MULTIPLY = Binary.of("multiply");
  static final Binary DIVIDE = Binary.of("divide");
  static final Binary FLOOR_DIVIDE = Binary.of("floor_divide");
  static final Binary REMAINDER = Binary.of("remainder");
  static final Binary POWER = Binary.of("power");
  static final Binary MAXIMUM = Binary.of("maximum");
  static final Binary MINIMUM = Binary.of("minimum");
  static final Binary EQUAL = Binary.of("equal");
  static final Binary NOT_EQUAL = Binary.of("not_equal");
  static final Binary LESS = Binary.of("less");
  static final Binary LESS_EQUAL = Binary.of("less_equal");
  static final Binary GREATER = Binary.of("greater");
  static final Binary GREATER_EQUAL = Binary.of("greater_equal");
  static final Binary LOGICAL_AND = Binary.of("logical_and");
  static final Binary LOGICAL_OR = Binary.of("logical_or");
  static final MethodHandle WHERE = bind("where", J, J, J);
  static final MethodHandle CLIP = bind("clip", J, D, D);
  static final MethodHandle ASTYPE = bind("astype", J, J);
  static final MethodHandle VIEW_AS = bind("view_as", J, J);

  // shaping.cpp
  static final MethodHandle RESHAPE = bind("reshape", J, J, J);
  static final MethodHandle TRANSPOSE = bind("transpose", J, J, J);
  static final MethodHandle SWAPAXES = bind("swapaxes", J, J, J);
  static final MethodHandle EXPAND_DIMS = bind("expand_dims", J, J);
  static final MethodHandle SQUEEZE = bind("squeeze", J, J);
  static final MethodHandle FLATTEN = bind("flatten", J, J, J);
  static final MethodHandle BROADCAST_TO = bind("broadcast_to", J, J, J);
  static final MethodHandle CONTIGUOUS = bind("contiguous", J);
  static final MethodHandle SLICE = bind("slice", J, J, J);
  static final MethodHandle SLICE_UPDATE = bind("slice_update", J, J, J, J);
  static final MethodHandle CONCATENATE = bind("concatenate", J, J, J);
  static final MethodHandle STACK = bind("stack", J, J, J);
  static final MethodHandle SPLIT = bind("split", J, J, J, J);
  static final MethodHandle REPEAT = bind("repeat", J, J, J);
  static final MethodHandle TAKE = bind("take", J, J, J);
  static final MethodHandle TAKE_ALONG_AXIS = bind("take_along_axis", J, J, J);
  static final MethodHandle PUT_ALONG_AXIS = bind("put_along_axis", J, J, J, J);
  static final MethodHandle TRIL = bind("tril", J, J);

  // reductions.cpp
  static final MethodHandle SUM = bind("sum", J, J, J);
  static final MethodHandle MEAN = bind("mean", J, J, J);
  static final MethodHandle MAX = bind("max", J, J, J);
  static final MethodHandle MIN = bind("min", J, J, J);
  static final MethodHandle ALL = bind("all", J, J, J);
  static final MethodHandle ANY = bind("any", J, J, J);
  static final MethodHandle LOGSUMEXP = bind("logsumexp", J, J, J);
  static final MethodHandle ARGMAX = bind("argmax", J, J, J);
  static final MethodHandle ARGMIN = bind("argmin", J, J, J);
  static final MethodHandle SOFTMAX = bind("softmax", J, J, J);
  static final MethodHandle CUMSUM = bind("cumsum", J, J);
  static final MethodHandle SORT = bind("sort", J, J);
  static final MethodHandle ARGSORT = bind("argsort", J, J);
  static final MethodHandle ARGPARTITION = bind("argpartition", J, J, J);
  static final MethodHandle TOPK = bind("topk", J, J, J);

  // linear.cpp
  static final MethodHandle MATMUL = bind("matmul", J, J);
  static final MethodHandle LINEAR = bind("linear", J, J, J);
  static final MethodHandle ADDMM = bind("addmm", J, J, J, D, D);
  static final MethodHandle PRODUCT = bind("product", J, J, J);
  static final MethodHandle EMBEDDING = bind("embedding", J, J, J);
  static final MethodHandle QUANTIZED_MATMUL = bind("quantized_matmul", J, J, J, J, J, J, J);
  static final MethodHandle QUANTIZE = bind("quantize", J, J, J, J);
  static final MethodHandle DEQUANTIZE = bind("dequantize", J, J, J, J, J);
  static final MethodHandle EXPERT_PRODUCT = bind("expert_product", J, J, J, J);

  // fused.cpp
  static final MethodHandle RMS_NORM = bind("rms_norm", J, J, D);
  static final MethodHandle LAYER_NORM = bind("layer_norm", J, J, J, D);
  static final MethodHandle ROPE = bind("rope", J, J, J, D, D, J, J);
  static final MethodHandle ROPE_AT = bind("rope_at", J, J, J, D, D, J, J);
  static final MethodHandle ROPE_ANGLES = bind("rope_angles", J, J, J, D, D, J);
  static final MethodHandle CACHED_ATTENTION = bind("cached_attention", J, J);
  private static final MethodHandle LAYER = bind("layer", J, J, J);
  static final MethodHandle ATTENTION = bind("attention", J, J, J, D, J, J);
  static final MethodHandle GATED = bind("gated", J, J, J);

  // primitives.cpp
  static final MethodHandle USE_PRIMITIVES = bind("use_primitives", J);
  static final MethodHandle SET_THREADS = bind("set_threads", J);
  private static final MethodHandle PRIMITIVES_WANTED = bind("primitives_wanted");
  private static final MethodHandle THREADS = bind("threads");
  private static final MethodHandle KERNELS = bind("kernels");
  static final MethodHandle CHOOSE_KERNELS = bind("choose_kernels", J);

  // files.cpp
  static final MethodHandle OPEN_SAFETENSORS = bind("open_safetensors", J);
  static final MethodHandle OPEN_GGUF = bind("open_gguf", J);
  static final MethodHandle FILE_MAP = bind("file_map", J, J, J);
  static final MethodHandle FILE_ARRAY_NAMES = bind("file_array_names", J, J);
  static final MethodHandle FILE_ARRAY = bind("file_array", J, J);
  static final MethodHandle FILE_METADATA = bind("file_metadata", J, J);
  private static final MethodHandle FILE_CLOSE = bind("file_close", J);
  static final MethodHandle SAVE_SAFETENSORS = bind("save_safetensors", J, J, J, J, J, J);
  static final MethodHandle SAVE_GGUF = bind("save_gguf", J, J, J, J);

  /** A function of two arrays, and the same with a scalar on the right. */
  record Binary(MethodHandle arrays, MethodHandle scalar) {
    static Binary of(String name) {
      return new Binary(bind(name, J, J), bind(name + "_scalar", J, D, J));
    }
  }

  private Native() {}

  private static MethodHandle bind(String name, MemoryLayout... arguments) {
    return LINKER.downcallHandle(symbol(name), FunctionDescriptor.of(J, arguments));
  }

  private static MemorySegment symbol(String name) {
    return LIBRARY
        .find("vm_" + name)
        .orElseThrow(() -> new MlxException("the native library has no vm_" + name));
  }

  /** The bytes at an address that the shim gave. */
  static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  private static String text(long address) {
    return at(address, Long.MAX_VALUE).getString(0);
  }

  /** What MLX said of this thread's last error. */
  static MlxException error() {
    try {
      return new MlxException(text((long) ERROR.invokeExact()));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** A downcall itself throws nothing, so this is a fault of the binding or an error on its way. */
  static RuntimeException unexpected(Throwable t) {
    return switch (t) {
      case Error e -> throw e;
      case RuntimeException e -> e;
      default -> new IllegalStateException(t);
    };
  }

  private static long made(long handle) {
    if (handle == 0) {
      throw error();
    }
    return handle;
  }

  private static void done(long code) {
    if (code < 0) {
      throw error();
    }
  }

  static String version() {
    try {
      return text((long) VERSION.invokeExact());
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static String kernels() {
    try {
      return text((long) KERNELS.invokeExact());
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int threads() {
    try {
      return Math.toIntExact((long) THREADS.invokeExact());
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Whether ops on the calling thread's device go to this project's primitives. */
  static boolean primitivesWanted() {
    try {
      return (long) PRIMITIVES_WANTED.invokeExact() != 0;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static boolean hasGpu() {
    try {
      return (long) HAS_GPU.invokeExact() != 0;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static MemoryStatus memory() {
    try {
      return new MemoryStatus(
          (long) LIVE_HANDLES.invokeExact(),
          (long) ACTIVE_MEMORY.invokeExact(),
          (long) PEAK_MEMORY.invokeExact(),
          (long) CACHE_MEMORY.invokeExact());
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Frees the handles that lie at the address. */
  static void free(long handles, int count) {
    try {
      var _ = (long) FREE.invokeExact(handles, (long) count);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** The address of an array's evaluated data, or 0 where it does not lie in rows. */
  static long address(long a) {
    try {
      var address = (long) ADDRESS.invokeExact(a);
      if (address == -1) {
        throw error();
      }
      return address;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** A handle, or 0 where the layer was not taken. */
  static long layer(long x, long layer, long places) {
    try {
      var result = (long) LAYER.invokeExact(x, layer, places);
      if (result == -1) {
        throw error();
      }
      return result;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a) {
    try {
      return made((long) op.invokeExact(a));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b) {
    try {
      return made((long) op.invokeExact(a, b));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c) {
    try {
      return made((long) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, long d) {
    try {
      return made((long) op.invokeExact(a, b, c, d));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, long d, long e) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, long d, long e, long f, long g) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e, f, g));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, double b, long c) {
    try {
      return made((long) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, double b, double c) {
    try {
      return made((long) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, double c) {
    try {
      return made((long) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, double c, long d) {
    try {
      return made((long) op.invokeExact(a, b, c, d));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, double d) {
    try {
      return made((long) op.invokeExact(a, b, c, d));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, double a, double b, double c, long d) {
    try {
      return made((long) op.invokeExact(a, b, c, d));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, double d, double e) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, double b, double c, long d, long e, long f) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e, f));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, double d, long e, long f) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e, f));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, double d, double e, long f) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e, f));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, double d, double e, long f, long g) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e, f, g));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op) {
    try {
      done((long) op.invokeExact());
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a) {
    try {
      done((long) op.invokeExact(a));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, long b) {
    try {
      done((long) op.invokeExact(a, b));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, long b, long c) {
    try {
      done((long) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, long b, long c, long d) {
    try {
      done((long) op.invokeExact(a, b, c, d));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, long b, long c, long d, long e, long f) {
    try {
      done((long) op.invokeExact(a, b, c, d, e, f));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void closeFile(long file) {
    try {
      var _ = (long) FILE_CLOSE.invokeExact(file);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }
}
