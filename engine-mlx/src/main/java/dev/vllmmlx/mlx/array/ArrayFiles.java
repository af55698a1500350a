package dev.vllmmlx.mlx.array;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads and writes files of arrays through MLX. */
final class ArrayFiles implements AutoCloseable {

  private final Owner owner;
  private final long file;

  private ArrayFiles(Owner owner, MethodHandle open, Path path) {
    if (!Files.isRegularFile(path) || !Files.isReadable(path)) {
      throw new MlxException("there is no readable file " + path);
    }
    this.owner = owner;
    this.file = Native.make(open, owner.path(path).address());
  }

  static SafetensorsFile safetensors(Path path) {
    try (var file = new ArrayFiles(Owner.current(), Native.OPEN_SAFETENSORS, path)) {
      file.map(path);
      return new SafetensorsFile(file.arrays(), file.metadata());
    }
  }

  static Map<String, Array> gguf(Path path) {
    try (var file = new ArrayFiles(Owner.current(), Native.OPEN_GGUF, path)) {
      return file.arrays();
    }
  }

  static void saveSafetensors(Path path, Map<String, Array> arrays, Map<String, String> metadata) {
    var owner = Owner.current();
    var names = new ArrayList<>(arrays.keySet());
    var pairs = new ArrayList<String>();
    metadata.forEach((name, value) -> Collections.addAll(pairs, name, value));
    try (var arena = Arena.ofConfined()) {
      var handles = owner.handles(names.stream().map(arrays::get).toList());
      Native.run(
          Native.SAVE_SAFETENSORS,
          arena.allocateFrom(path.toAbsolutePath().toString()).address(),
          handles,
          texts(arena, names),
          names.size(),
          texts(arena, pairs),
          metadata.size());
    }
  }

  static void saveGguf(Path path, Map<String, Array> arrays) {
    var owner = Owner.current();
    var names = new ArrayList<>(arrays.keySet());
    try (var arena = Arena.ofConfined()) {
      var handles = owner.handles(names.stream().map(arrays::get).toList());
      Native.run(
          Native.SAVE_GGUF,
          arena.allocateFrom(path.toAbsolutePath().toString()).address(),
          handles,
          texts(arena, names),
          names.size());
    }
  }

  private static long texts(Arena arena, List<String> texts) {
    var bytes = new ByteArrayOutputStream();
    for (var text : texts) {
      bytes.writeBytes(text.getBytes(StandardCharsets.UTF_8));
      bytes.write(0);
    }
    return arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes.toByteArray()).address();
  }

  /** Lets the arrays be pages of the file where that is possible. */
  private void map(Path path) {
    var offsets = SafetensorsOffsets.read(path);
    try (var arena = Arena.ofConfined()) {
      var inOrder = names().stream().mapToLong(name -> offsets.getOrDefault(name, -1L)).toArray();
      Native.run(
          Native.FILE_MAP,
          file,
          arena.allocateFrom(path.toAbsolutePath().toString()).address(),
          arena.allocateFrom(ValueLayout.JAVA_LONG, inOrder).address());
    }
  }

  private List<String> names() {
    return texts(out -> Native.run(Native.FILE_ARRAY_NAMES, file, out));
  }

  private Map<String, Array> arrays() {
    var names = names();
    var arrays = new LinkedHashMap<String, Array>();
    for (var i = 0; i < names.size(); i++) {
      arrays.put(names.get(i), owner.own(Native.make(Native.FILE_ARRAY, file, i)));
    }
    return Collections.unmodifiableMap(arrays);
  }

  private Map<String, String> metadata() {
    var texts = texts(out -> Native.run(Native.FILE_METADATA, file, out));
    var metadata = new LinkedHashMap<String, String>();
    for (var i = 0; i < texts.size(); i += 2) {
      metadata.put(texts.get(i), texts.get(i + 1));
    }
    return Collections.unmodifiableMap(metadata);
  }

  private interface Fetch {
    void into(long out);
  }

  /** Texts as the shim packs them: their bytes end to end, and where each ends. */
  private List<String> texts(Fetch fetch) {
    var out = owner.room(24);
    fetch.into(out.address());
    var count = Math.toIntExact(out.getAtIndex(ValueLayout.JAVA_LONG, 2));
    if (count == 0) {
      return List.of();
    }
    var ends = Native.at(out.getAtIndex(ValueLayout.JAVA_LONG, 1), 8L * count);
    var bytes =
        Native.at(
            out.getAtIndex(ValueLayout.JAVA_LONG, 0),
            ends.getAtIndex(ValueLayout.JAVA_LONG, count - 1));
    var texts = new ArrayList<String>(count);
    var start = 0L;
    for (var i = 0; i < count; i++) {
      var end = ends.getAtIndex(ValueLayout.JAVA_LONG, i);
      texts.add(text(bytes.asSlice(start, end - start)));
      start = end;
    }
    return texts;
  }

  private static String text(MemorySegment bytes) {
    return new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    Native.closeFile(file);
  }
}
