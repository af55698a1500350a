package dev.vllmmlx.mlx.array;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
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
 * <p>Handles and addresses are {@code long}s: no segment is made for a call. The {@code make} and
 * {@code run} methods are so small that the compiler puts them into their callers, where the method
 * handle is a constant.
 */
final class Native {

  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup LIBRARY =
      SymbolLookup.libraryLookup(NativeLibraries.shim(), Arena.global());

  private static final MemoryLayout P = JAVA_LONG; // a handle or an address
  private static final MemoryLayout I = JAVA_INT;
  private static final MemoryLayout J = JAVA_LONG;
  private static final MemoryLayout F = JAVA_FLOAT;
  private static final MemoryLayout D = JAVA_DOUBLE;

  // runtime.cpp
  private static final MethodHandle ERROR = bind(P, "error");
  private static final MethodHandle VERSION = bind(P, "version");
  private static final MethodHandle HAS_GPU = bind(I, "has_gpu");
  private static final MethodHandle FREE =
      LINKER.downcallHandle(symbol("free"), FunctionDescriptor.ofVoid(P, I));
  private static final MethodHandle LIVE_HANDLES = bind(J, "live_handles");
  private static final MethodHandle ACTIVE_MEMORY = bind(J, "active_memory");
  private static final MethodHandle PEAK_MEMORY = bind(J, "peak_memory");
  private static final MethodHandle CACHE_MEMORY = bind(J, "cache_memory");
  static final MethodHandle USE_DEVICE = bind(I, "use_device", I);
  static final MethodHandle LEAVE_THREAD = bind(I, "leave_thread");
  static final MethodHandle RESET_PEAK_MEMORY = bind(I, "reset_peak_memory");
  static final MethodHandle SET_CACHE_LIMIT = bind(I, "set_cache_limit", J);
  static final MethodHandle SET_MEMORY_LIMIT = bind(I, "set_memory_limit", J);
  static final MethodHandle CLEAR_CACHE = bind(I, "clear_cache");

  // arrays.cpp
  static final MethodHandle FROM_DATA = bind(P, "from_data", P, J, P, I, I);
  static final MethodHandle RESERVE = bind(P, "reserve", P, I, I);
  static final MethodHandle COPY_IN_PLACE = bind(I, "copy_in_place", P, I, I);
  static final MethodHandle COPY_OUT = bind(I, "copy_out", P, I, P);
  static final MethodHandle COPY_IN = bind(I, "copy_in", P, I, P);
  static final MethodHandle FULL = bind(P, "full", P, I, D, I);
  static final MethodHandle ARANGE = bind(P, "arange", D, D, D, I);
  static final MethodHandle RANDOM_UNIFORM = bind(P, "random_uniform", J, D, D, P, I, I);
  static final MethodHandle RANDOM_NORMAL = bind(P, "random_normal", J, D, D, P, I, I);
  static final MethodHandle SHARE = bind(P, "share", P);
  static final MethodHandle DESCRIBE = bind(I, "describe", P, P, I);
  static final MethodHandle EVAL = bind(I, "eval", P, I);
  static final MethodHandle ASYNC_EVAL = bind(I, "async_eval", P, I);
  private static final MethodHandle ADDRESS = bind(J, "address", P);

  // elementwise.cpp
  static final MethodHandle ABS = bind(P, "abs", P);
  static final MethodHandle NEGATIVE = bind(P, "negative", P);
  static final MethodHandle EXP = bind(P, "exp", P);
  static final MethodHandle LOG = bind(P, "log", P);
  static final MethodHandle SQRT = bind(P, "sqrt", P);
  static final MethodHandle RSQRT = bind(P, "rsqrt", P);
  static final MethodHandle SQUARE = bind(P, "square", P);
  static final MethodHandle SIN = bind(P, "sin", P);
  static final MethodHandle COS = bind(P, "cos", P);
  static final MethodHandle TANH = bind(P, "tanh", P);
  static final MethodHandle ERF = bind(P, "erf", P);
  static final MethodHandle SIGMOID = bind(P, "sigmoid", P);
  static final MethodHandle SILU = bind(P, "silu", P);
  static final MethodHandle FLOOR = bind(P, "floor", P);
  static final MethodHandle ROUND = bind(P, "round", P);
  static final MethodHandle LOGICAL_NOT = bind(P, "logical_not", P);
  static final MethodHandle ISNAN = bind(P, "isnan", P);
  static final MethodHandle ISFINITE = bind(P, "isfinite", P);
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
  static final MethodHandle WHERE = bind(P, "where", P, P, P);
  static final MethodHandle CLIP = bind(P, "clip", P, D, D);
  static final MethodHandle ASTYPE = bind(P, "astype", P, I);
  static final MethodHandle VIEW_AS = bind(P, "view_as", P, I);

  // shaping.cpp
  static final MethodHandle RESHAPE = bind(P, "reshape", P, P, I);
  static final MethodHandle TRANSPOSE = bind(P, "transpose", P, P, I);
  static final MethodHandle SWAPAXES = bind(P, "swapaxes", P, I, I);
  static final MethodHandle EXPAND_DIMS = bind(P, "expand_dims", P, I);
  static final MethodHandle SQUEEZE = bind(P, "squeeze", P, I);
  static final MethodHandle FLATTEN = bind(P, "flatten", P, I, I);
  static final MethodHandle BROADCAST_TO = bind(P, "broadcast_to", P, P, I);
  static final MethodHandle CONTIGUOUS = bind(P, "contiguous", P);
  static final MethodHandle SLICE = bind(P, "slice", P, P, I);
  static final MethodHandle SLICE_UPDATE = bind(P, "slice_update", P, P, P, I);
  static final MethodHandle CONCATENATE = bind(P, "concatenate", P, I, I);
  static final MethodHandle STACK = bind(P, "stack", P, I, I);
  static final MethodHandle SPLIT = bind(I, "split", P, I, I, P);
  static final MethodHandle REPEAT = bind(P, "repeat", P, I, I);
  static final MethodHandle TAKE = bind(P, "take", P, P, I);
  static final MethodHandle TAKE_ALONG_AXIS = bind(P, "take_along_axis", P, P, I);
  static final MethodHandle PUT_ALONG_AXIS = bind(P, "put_along_axis", P, P, P, I);
  static final MethodHandle TRIL = bind(P, "tril", P, I);

  // reductions.cpp
  static final MethodHandle SUM = bind(P, "sum", P, I, I);
  static final MethodHandle MEAN = bind(P, "mean", P, I, I);
  static final MethodHandle MAX = bind(P, "max", P, I, I);
  static final MethodHandle MIN = bind(P, "min", P, I, I);
  static final MethodHandle ALL = bind(P, "all", P, I, I);
  static final MethodHandle ANY = bind(P, "any", P, I, I);
  static final MethodHandle LOGSUMEXP = bind(P, "logsumexp", P, I, I);
  static final MethodHandle ARGMAX = bind(P, "argmax", P, I, I);
  static final MethodHandle ARGMIN = bind(P, "argmin", P, I, I);
  static final MethodHandle SOFTMAX = bind(P, "softmax", P, I, I);
  static final MethodHandle CUMSUM = bind(P, "cumsum", P, I);
  static final MethodHandle SORT = bind(P, "sort", P, I);
  static final MethodHandle ARGSORT = bind(P, "argsort", P, I);
  static final MethodHandle ARGPARTITION = bind(P, "argpartition", P, I, I);
  static final MethodHandle TOPK = bind(P, "topk", P, I, I);

  // linear.cpp
  static final MethodHandle MATMUL = bind(P, "matmul", P, P);
  static final MethodHandle LINEAR = bind(P, "linear", P, P, P);
  static final MethodHandle ADDMM = bind(P, "addmm", P, P, P, F, F);
  static final MethodHandle PRODUCT = bind(I, "product", P, P, P);
  static final MethodHandle EMBEDDING = bind(P, "embedding", P, P, I);
  static final MethodHandle QUANTIZED_MATMUL = bind(P, "quantized_matmul", P, P, P, P, I, I, I);
  static final MethodHandle QUANTIZE = bind(I, "quantize", P, I, I, P);
  static final MethodHandle DEQUANTIZE = bind(P, "dequantize", P, P, P, I, I);
  static final MethodHandle EXPERT_PRODUCT = bind(P, "expert_product", P, P, P, P);

  // fused.cpp
  static final MethodHandle RMS_NORM = bind(P, "rms_norm", P, P, F);
  static final MethodHandle LAYER_NORM = bind(P, "layer_norm", P, P, P, F);
  static final MethodHandle ROPE = bind(P, "rope", P, I, I, F, F, I, P);
  static final MethodHandle ROPE_AT = bind(P, "rope_at", P, I, I, F, F, P, P);
  static final MethodHandle ROPE_ANGLES = bind(P, "rope_angles", P, I, I, F, F, P);
  static final MethodHandle CACHED_ATTENTION = bind(I, "cached_attention", P, P);
  static final MethodHandle ATTENTION = bind(P, "attention", P, P, P, F, I, P);
  static final MethodHandle GATED = bind(P, "gated", P, P, I);

  // primitives.cpp
  static final MethodHandle USE_PRIMITIVES = bind(I, "use_primitives", I);
  static final MethodHandle SET_THREADS = bind(I, "set_threads", I);
  private static final MethodHandle PRIMITIVES_WANTED = bind(I, "primitives_wanted");
  private static final MethodHandle THREADS = bind(I, "threads");
  private static final MethodHandle KERNELS = bind(P, "kernels");
  static final MethodHandle CHOOSE_KERNELS = bind(I, "choose_kernels", P);

  // files.cpp
  static final MethodHandle OPEN_SAFETENSORS = bind(P, "open_safetensors", P);
  static final MethodHandle OPEN_GGUF = bind(P, "open_gguf", P);
  static final MethodHandle FILE_MAP = bind(I, "file_map", P, P, P);
  static final MethodHandle FILE_ARRAY_NAMES = bind(I, "file_array_names", P, P);
  static final MethodHandle FILE_ARRAY = bind(P, "file_array", P, I);
  static final MethodHandle FILE_METADATA_NAMES = bind(I, "file_metadata_names", P, P);
  static final MethodHandle FILE_METADATA_KIND = bind(I, "file_metadata_kind", P, I);
  static final MethodHandle FILE_METADATA_ARRAY = bind(P, "file_metadata_array", P, I);
  static final MethodHandle FILE_METADATA_TEXTS = bind(I, "file_metadata_texts", P, I, P);
  private static final MethodHandle FILE_CLOSE =
      LINKER.downcallHandle(symbol("file_close"), FunctionDescriptor.ofVoid(P));
  static final MethodHandle SAVE_SAFETENSORS = bind(I, "save_safetensors", P, P, P, I, P, I);
  static final MethodHandle SAVE_GGUF = bind(I, "save_gguf", P, P, P, I);

  /** A function of two arrays, and the same with a scalar on the right. */
  record Binary(MethodHandle arrays, MethodHandle scalar) {
    static Binary of(String name) {
      return new Binary(bind(P, name, P, P), bind(P, name + "_scalar", P, D, I));
    }
  }

  private Native() {}

  private static MethodHandle bind(MemoryLayout result, String name, MemoryLayout... arguments) {
    return LINKER.downcallHandle(symbol(name), FunctionDescriptor.of(result, arguments));
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

  private static void done(int code) {
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
      return (int) THREADS.invokeExact();
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Whether ops on the calling thread's device go to this project's primitives. */
  static boolean primitivesWanted() {
    try {
      return (int) PRIMITIVES_WANTED.invokeExact() != 0;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static boolean hasGpu() {
    try {
      return (int) HAS_GPU.invokeExact() != 0;
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
      FREE.invokeExact(handles, count);
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

  static long make(MethodHandle op, long a, int b) {
    try {
      return made((long) op.invokeExact(a, b));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, int b, int c) {
    try {
      return made((long) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, int c) {
    try {
      return made((long) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, int d) {
    try {
      return made((long) op.invokeExact(a, b, c, d));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, double b, int c) {
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

  static long make(MethodHandle op, long a, int b, double c, int d) {
    try {
      return made((long) op.invokeExact(a, b, c, d));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, double a, double b, double c, int d) {
    try {
      return made((long) op.invokeExact(a, b, c, d));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, double b, double c, long d, int e, int f) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e, f));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, int d, int e) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, float d, float e) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, float c) {
    try {
      return made((long) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, float d) {
    try {
      return made((long) op.invokeExact(a, b, c, d));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, long d, int e, int f, int g) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e, f, g));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, int b, int c, float d, float e, int f, long g) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e, f, g));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, int b, int c, float d, float e, long f) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e, f));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long make(MethodHandle op, long a, long b, long c, float d, int e, long f) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e, f));
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

  static long make(MethodHandle op, long a, int b, int c, float d, float e, long f, long g) {
    try {
      return made((long) op.invokeExact(a, b, c, d, e, f, g));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op) {
    try {
      done((int) op.invokeExact());
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, int a) {
    try {
      done((int) op.invokeExact(a));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a) {
    try {
      done((int) op.invokeExact(a));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, int b) {
    try {
      done((int) op.invokeExact(a, b));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, int b, int c) {
    try {
      done((int) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, long b, int c) {
    try {
      done((int) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, long b, long c) {
    try {
      done((int) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, int b, int c, long d) {
    try {
      done((int) op.invokeExact(a, b, c, d));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, long b) {
    try {
      done((int) op.invokeExact(a, b));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, int b, long c) {
    try {
      done((int) op.invokeExact(a, b, c));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, long b, long c, int d, long e, int f) {
    try {
      done((int) op.invokeExact(a, b, c, d, e, f));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void run(MethodHandle op, long a, long b, long c, int d) {
    try {
      done((int) op.invokeExact(a, b, c, d));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int number(MethodHandle op, long a, int b) {
    try {
      return (int) op.invokeExact(a, b);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void closeFile(long file) {
    try {
      FILE_CLOSE.invokeExact(file);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }
}
