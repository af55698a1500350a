package dev.vllmmlx.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/** What a user wrote where a model is asked for. It says where to look; nothing is fetched yet. */
public sealed interface ModelReference {

  /** A folder on this machine with {@code config.json} and weights. */
  record LocalFolder(Path path) implements ModelReference {}

  /** A GGUF file on this machine. */
  record LocalGguf(Path path) implements ModelReference {}

  /** The model that comes with the product, for when none is named. */
  record EmbeddedDefault() implements ModelReference {}

  /**
   * A repository of the hub, or one GGUF file in it.
   *
   * @param repository {@code owner/name}
   * @param file path of a {@code .gguf} file inside the repository; empty for the repository itself
   * @param revision a branch, a tag or a commit
   */
  record HubModel(String repository, Optional<String> file, String revision)
      implements ModelReference {

    /** The branch that is meant when no revision is named. */
    public static final String DEFAULT_REVISION = "main";

    public HubModel {
      requireRepository(repository);
      requireRevision(revision);
      file.ifPresent(HubModel::requireGguf);
    }

    /**
     * The same model at another revision; throws {@link HubException.InvalidReference} for a
     * malformed one.
     */
    public HubModel withRevision(String other) {
      return new HubModel(repository, file, other);
    }

    /** {@code owner/name}, or {@code owner/name/file.gguf}: what clients see as the model's id. */
    public String id() {
      return file.map(name -> repository + "/" + name).orElse(repository);
    }

    // The hub's own rules for names: letters, digits, dot, dash, underscore; at most 96 of them; no
    // "--" or "..".
    private static final Pattern NAME =
        Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?");
    private static final Pattern REVISION = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._/+-]*");

    private static void requireRepository(String repository) {
      var parts = repository.split("/", -1);
      var valid = parts.length == 2 && !repository.contains("--") && !repository.contains("..");
      for (var part : parts) {
        valid = valid && NAME.matcher(part).matches();
      }
      if (!valid) {
        throw new HubException.InvalidReference(
            "'%s' is not a model id. An id reads owner/name, of letters, digits, '.', '-' and '_'."
                .formatted(repository));
      }
    }

    private static void requireRevision(String revision) {
      if (!REVISION.matcher(revision).matches()
          || revision.contains("..")
          || revision.contains("//")
          || revision.endsWith("/")) {
        throw new HubException.InvalidReference(
            "'%s' is not a revision: name a branch, a tag or a commit.".formatted(revision));
      }
    }

    private static void requireGguf(String file) {
      if (!file.endsWith(".gguf") || !RepositoryFile.isSafePath(file)) {
        throw new HubException.InvalidReference(
            "'%s' is not a .gguf file's path inside a repository.".formatted(file));
      }
    }
  }

  /**
   * Reads a user's words. A path that exists wins over an id of the hub; {@code null} or blank text
   * means the embedded default. Ids may end in {@code @revision}; a GGUF file of a repository is
   * {@code owner/name/file.gguf}.
   *
   * @throws HubException.InvalidReference for a path that does not exist, a file that is no
   *     checkpoint, or a malformed id; the message says which
   */
  static ModelReference parse(String text) {
    if (text == null || text.isBlank()) {
      return new EmbeddedDefault();
    }
    var path = pathOf(text);
    if (path.isPresent() && Files.isDirectory(path.get())) {
      return new LocalFolder(path.get());
    }
    if (path.isPresent() && Files.exists(path.get())) {
      return localFile(path.get());
    }
    if (looksLikePath(text)) {
      throw new HubException.InvalidReference("There is no file or folder '%s'.".formatted(text));
    }
    return hubModel(text);
  }

  private static Optional<Path> pathOf(String text) {
    try {
      return Optional.of(Path.of(text));
    } catch (InvalidPathException _) {
      return Optional.empty();
    }
  }

  private static ModelReference localFile(Path path) {
    if (path.toString().endsWith(".gguf") || startsLikeGguf(path)) {
      return new LocalGguf(path);
    }
    throw new HubException.InvalidReference(
        ("'%s' is a file, but not a GGUF one. Name a .gguf file, or the folder that holds config.json and the"
                + " .safetensors files.")
            .formatted(path));
  }

  private static boolean startsLikeGguf(Path path) {
    try (var in = Files.newInputStream(path)) {
      return new String(in.readNBytes(4), StandardCharsets.ISO_8859_1).equals("GGUF");
    } catch (IOException _) {
      return false;
    }
  }

  private static boolean looksLikePath(String text) {
    return text.startsWith("/")
        || text.startsWith(".")
        || text.startsWith("~")
        || text.endsWith("/")
        || text.contains("\\")
        || text.matches("[A-Za-z]:.*")
        || (text.endsWith(".gguf") && text.chars().filter(c -> c == '/').count() < 2);
  }

  private static HubModel hubModel(String text) {
    var at = text.indexOf('@');
    var name = at < 0 ? text : text.substring(0, at);
    var revision = at < 0 ? HubModel.DEFAULT_REVISION : text.substring(at + 1);
    var parts = name.split("/", 3);
    if (parts.length == 3 && name.endsWith(".gguf")) {
      return new HubModel(parts[0] + "/" + parts[1], Optional.of(parts[2]), revision);
    }
    if (parts.length != 2) {
      throw new HubException.InvalidReference(
          ("'%s' is neither a folder or .gguf file on this machine nor a model id. An id reads owner/name,"
                  + " owner/name@revision or owner/name/file.gguf.")
              .formatted(text));
    }
    return new HubModel(name, Optional.empty(), revision);
  }
}
