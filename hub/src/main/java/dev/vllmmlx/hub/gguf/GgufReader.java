package dev.vllmmlx.hub.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;
import java.util.function.Predicate;

/**
 * One pass over the mapped header. Values become {@code Long} (all integers), {@code Double},
 * {@code Boolean}, {@code String}; arrays become {@code int[]} (up to 32 bits), {@code long[]}
 * (unsigned 32 and 64 bits), {@code float[]}, {@code double[]}, {@code boolean[]}, {@code
 * String[]}, and {@code Object[]} for arrays of arrays.
 */
final class GgufReader {
  private static final int MAGIC = 0x46554747; // "GGUF"
  private static final String ALIGNMENT = "general.alignment";
  private static final int DEFAULT_ALIGNMENT = 32;
  private static final int MAX_DIMENSIONS = 8; // ggml itself stops at 4.
  private static final int MAX_NESTING = 4;
  private static final long MAX_KEY_BYTES = 65_535; // set by the format

  /** The format's value types by their numbers, with the fewest bytes a value takes. */
  private enum Type {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(8),
    ARRAY(12),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    private final int minimumBytes;

    Type(int minimumBytes) {
      this.minimumBytes = minimumBytes;
    }
  }

  private final ByteBuffer header;
  private final long fileSize;
  private final Predicate<String> wanted;

  private GgufReader(ByteBuffer header, long fileSize, Predicate<String> wanted) {
    this.header = header;
    this.fileSize = fileSize;
    this.wanted = wanted;
  }

  static GgufMetadata read(Path file, Predicate<String> wanted) {
    try (var channel = FileChannel.open(file);
        var arena = Arena.ofConfined()) {
      // Headers are some megabytes; what lies beyond the first two gigabytes is tensors' data.
      var size = channel.size();
      var mapped =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, Math.min(size, Integer.MAX_VALUE), arena);
      var header = mapped.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
      return new GgufReader(header, size, wanted).read();
    } catch (IOException e) {
      throw new GgufException("%s cannot be read: %s".formatted(file, e), e);
    } catch (BufferUnderflowException e) {
      throw unusable(file, "it ends in the middle of its header: it is cut off.", e);
    } catch (GgufException e) {
      throw unusable(file, e.getMessage(), e);
    }
  }

  private static GgufException unusable(Path file, String why, RuntimeException cause) {
    return new GgufException("%s is no usable GGUF file: %s".formatted(file, why), cause);
  }

  private GgufMetadata read() {
    if (header.remaining() < 4 || u32() != MAGIC) {
      throw new GgufException("it does not begin with 'GGUF'.");
    }
    var version = (int) u32();
    if (version != 2 && version != 3) {
      throw new GgufException(
          Integer.reverseBytes(version) == 3
              ? "it is big-endian, and only little-endian files are read."
              : "version %s is not read, only 2 and 3."
                  .formatted(Integer.toUnsignedString(version)));
    }
    var tensorCount = count("number of tensors", 24);
    var valueCount = count("number of metadata values", 13);
    var values = values(valueCount);
    return new GgufMetadata(
        version, Collections.unmodifiableMap(values), tensors(tensorCount, values));
  }

  private Map<String, Object> values(int count) {
    var values = new LinkedHashMap<String, Object>();
    for (var i = 0; i < count; i++) {
      var key = string("a key", MAX_KEY_BYTES);
      if (!wanted.test(key) && !key.equals(ALIGNMENT)) {
        pass(key, type(key), 1);
      } else if (values.put(key, value(key, type(key))) != null) {
        throw new GgufException("the key '%s' stands twice.".formatted(key));
      }
    }
    return values;
  }

  /** Goes on behind a value. */
  private void pass(String key, Type type, int depth) {
    var what = "the value of '" + key + "'"; // once for all strings of a vocabulary
    switch (type) {
      case STRING -> passBytes(what, i64());
      case ARRAY -> {
        var element = type(key);
        var count = count("length of '" + key + "'", element.minimumBytes);
        switch (element) {
          case STRING -> {
            for (var i = 0; i < count; i++) {
              passBytes(what, i64());
            }
          }
          case ARRAY -> {
            var deeper = deeper(key, depth);
            for (var i = 0; i < count; i++) {
              pass(key, element, deeper);
            }
          }
          default -> passBytes(what, (long) count * element.minimumBytes);
        }
      }
      default -> passBytes(what, type.minimumBytes);
    }
  }

  private static int deeper(String key, int depth) {
    if (depth == MAX_NESTING) {
      throw new GgufException("the arrays of '%s' are nested too deep.".formatted(key));
    }
    return depth + 1;
  }

  private void passBytes(String what, long count) {
    header.position(header.position() + length(what, count, Integer.MAX_VALUE));
  }

  private List<GgufTensor> tensors(int count, Map<String, Object> values) {
    var found = new ArrayList<GgufTensor>();
    var names = new HashSet<String>();
    for (var i = 0; i < count; i++) {
      var name = string("a tensor's name", MAX_KEY_BYTES);
      if (!names.add(name)) {
        throw new GgufException("the tensor '%s' stands twice.".formatted(name));
      }
      found.add(new GgufTensor(name, shape(name), (int) u32(), i64()));
    }
    var alignment = alignment(values);
    var dataStart = Math.ceilDiv((long) header.position(), alignment) * alignment;
    return found.stream().map(tensor -> placed(tensor, dataStart, alignment)).toList();
  }

  private List<Long> shape(String name) {
    var dimensions = u32();
    if (dimensions > MAX_DIMENSIONS) {
      throw new GgufException("the tensor '%s' has %d dimensions.".formatted(name, dimensions));
    }
    var shape = new ArrayList<Long>();
    for (var i = 0; i < dimensions; i++) {
      var extent = i64();
      if (extent < 0) {
        throw new GgufException("the tensor '%s' has a negative extent.".formatted(name));
      }
      shape.add(extent);
    }
    return shape;
  }

  private static long alignment(Map<String, Object> values) {
    return switch (values.getOrDefault(ALIGNMENT, (long) DEFAULT_ALIGNMENT)) {
      case Long alignment
          when alignment > 0 && alignment <= 1 << 20 && Long.bitCount(alignment) == 1 ->
          alignment;
      case Object other -> throw new GgufException("general.alignment is %s.".formatted(other));
    };
  }

  /**
   * The tensor with its offset counted from the file's start, after a look that its data lies
   * inside the file.
   */
  private GgufTensor placed(GgufTensor tensor, long dataStart, long alignment) {
    var offset = tensor.offset();
    if (offset < 0 || offset % alignment != 0 || offset > fileSize) {
      throw new GgufException(
          "the tensor '%s' begins at byte %d.".formatted(tensor.name(), offset));
    }
    var end = dataStart + offset + byteSize(tensor);
    if (end < 0 || end > fileSize) {
      throw new GgufException(
          "the data of tensor '%s' ends at byte %s, and the file at %d: it is cut off."
              .formatted(tensor.name(), Long.toUnsignedString(end), fileSize));
    }
    return new GgufTensor(tensor.name(), tensor.shape(), tensor.typeCode(), dataStart + offset);
  }

  /** Bytes of the tensor's data; 0 for a type that is not known here. */
  private static long byteSize(GgufTensor tensor) {
    var type = tensor.type();
    if (type.isEmpty()) {
      return 0;
    }
    try {
      long elements = 1;
      for (var extent : tensor.shape()) {
        elements = Math.multiplyExact(elements, extent);
      }
      var blocks = Math.ceilDiv(elements, (long) type.get().blockSize());
      return Math.multiplyExact(blocks, (long) type.get().blockBytes());
    } catch (ArithmeticException _) {
      throw new GgufException(
          "the tensor '%s' has the impossible shape %s.".formatted(tensor.name(), tensor.shape()));
    }
  }

  private Object value(String key, Type type) {
    return switch (type) {
      case UINT8 -> (long) (i8() & 0xff);
      case INT8 -> (long) i8();
      case UINT16 -> (long) (i16() & 0xffff);
      case INT16 -> (long) i16();
      case UINT32 -> u32();
      case INT32 -> (long) i32();
      case UINT64, INT64 -> i64();
      case FLOAT32 -> (double) f32();
      case FLOAT64 -> f64();
      case BOOL -> bool(key);
      case STRING -> string("the value of '" + key + "'", Integer.MAX_VALUE);
      case ARRAY -> array(key, 1);
    };
  }

  private Object array(String key, int depth) {
    var type = type(key);
    var count = count("length of '" + key + "'", type.minimumBytes);
    return switch (type) {
      case UINT8 -> fill(new int[count], () -> i8() & 0xff);
      case INT8 -> fill(new int[count], this::i8);
      case UINT16 -> fill(new int[count], () -> i16() & 0xffff);
      case INT16 -> fill(new int[count], this::i16);
      case INT32 -> fill(new int[count], this::i32);
      case UINT32 -> longs(count, true);
      case UINT64, INT64 -> longs(count, false);
      case FLOAT32 -> {
        var floats = new float[count];
        for (var i = 0; i < count; i++) {
          floats[i] = f32();
        }
        yield floats;
      }
      case FLOAT64 -> {
        var doubles = new double[count];
        for (var i = 0; i < count; i++) {
          doubles[i] = f64();
        }
        yield doubles;
      }
      case BOOL -> {
        var bools = new boolean[count];
        for (var i = 0; i < count; i++) {
          bools[i] = bool(key);
        }
        yield bools;
      }
      case STRING -> {
        var strings = new String[count];
        var what = "a string of '" + key + "'";
        for (var i = 0; i < count; i++) {
          strings[i] = string(what, Integer.MAX_VALUE);
        }
        yield strings;
      }
      case ARRAY -> {
        var deeper = deeper(key, depth);
        var arrays = new Object[count];
        for (var i = 0; i < count; i++) {
          arrays[i] = array(key, deeper);
        }
        yield arrays;
      }
    };
  }

  private static int[] fill(int[] ints, IntSupplier next) {
    for (var i = 0; i < ints.length; i++) {
      ints[i] = next.getAsInt();
    }
    return ints;
  }

  private long[] longs(int count, boolean unsigned32) {
    var longs = new long[count];
    for (var i = 0; i < count; i++) {
      longs[i] = unsigned32 ? u32() : i64();
    }
    return longs;
  }

  private Type type(String key) {
    var code = u32();
    if (code >= Type.values().length) {
      throw new GgufException("'%s' has the unknown value type %d.".formatted(key, code));
    }
    return Type.values()[(int) code];
  }

  /**
   * A 64-bit count of things that take so many bytes at least, which must fit into the rest of the
   * file.
   */
  private int count(String what, int minimumBytes) {
    var count = i64();
    if (count < 0 || count > header.remaining() / minimumBytes || count > Integer.MAX_VALUE - 8) {
      throw new GgufException(
          "the %s is %s, more than the file can hold: it is damaged or cut off."
              .formatted(what, Long.toUnsignedString(count)));
    }
    return (int) count;
  }

  private String string(String what, long maximumBytes) {
    var bytes = new byte[length(what, i64(), maximumBytes)];
    header.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private int length(String what, long length, long maximumBytes) {
    if (length < 0 || length > maximumBytes || length > header.remaining()) {
      throw new GgufException(
          "%s has a length of %s bytes: the file is damaged or cut off."
              .formatted(what, Long.toUnsignedString(length)));
    }
    return (int) length;
  }

  private boolean bool(String key) {
    var value = i8();
    if (value != 0 && value != 1) {
      throw new GgufException("a truth value of '%s' is %d.".formatted(key, value));
    }
    return value == 1;
  }

  private byte i8() {
    return header.get();
  }

  private short i16() {
    return header.getShort();
  }

  private int i32() {
    return header.getInt();
  }

  private long u32() {
    return Integer.toUnsignedLong(i32());
  }

  private long i64() {
    return header.getLong();
  }

  private float f32() {
    return header.getFloat();
  }

  private double f64() {
    return header.getDouble();
  }
}
