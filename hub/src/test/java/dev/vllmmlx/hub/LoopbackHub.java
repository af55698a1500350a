package dev.vllmmlx.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;

/**
 * A hub of our own on loopback that speaks the part of the Hugging Face hub's HTTP API that
 * downloads use. Large files (here: {@code .safetensors} and {@code .gguf}) are redirected to a
 * second server that plays the CDN. Faults can be laid in wait for each file.
 */
final class LoopbackHub implements AutoCloseable {

  /** What goes wrong with one answer. */
  sealed interface Fault {
    /** Another status, with headers in pairs of name and value. */
    record Status(int code, String... headers) implements Fault {}

    /** The connection breaks after so many bytes of the body. */
    record CutAfter(int bytes) implements Fault {}

    /** The body stops after so many bytes, and the connection stays. */
    record StallAfter(int bytes) implements Fault {}

    /** The whole file is sent, whatever part was asked for. */
    record IgnoreRange() implements Fault {}

    /** One byte of the body is another. */
    record WrongByte() implements Fault {}

    /** The headers come late. */
    record Late(long millis) implements Fault {}
  }

  /** A request that arrived: at the hub or the CDN, with what it said of itself. */
  record Request(String server, String method, String path, String authorization, String range) {}

  /** A repository: files by commit, commits by revision. */
  static final class Repository {
    private final Map<String, Map<String, byte[]>> commits = new HashMap<>();
    private final Map<String, String> revisions = new HashMap<>();

    Repository commit(String revision, String commit, Map<String, byte[]> files) {
      commits.put(commit, new TreeMap<>(files));
      revisions.put(revision, commit);
      revisions.put(commit, commit);
      return this;
    }
  }

  private final HttpServer hub;
  private final HttpServer cdn;
  private final Map<String, Repository> repositories = new ConcurrentHashMap<>();
  private final Map<String, Deque<Fault>> faults = new ConcurrentHashMap<>();
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private final CountDownLatch closing = new CountDownLatch(1);
  private volatile boolean listsBlobs = true;
  private volatile String requiredToken = "";

  LoopbackHub() {
    try {
      hub = server();
      cdn = server();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    hub.createContext("/", exchange -> handle("hub", exchange));
    cdn.createContext("/", exchange -> handle("cdn", exchange));
  }

  private static HttpServer server() throws IOException {
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
    return server;
  }

  URI endpoint() {
    return address(hub);
  }

  Repository repository(String id) {
    return repositories.computeIfAbsent(id, _ -> new Repository());
  }

  /**
   * The next answers for a file, or for what the API says of a repository, go wrong: one fault
   * each.
   */
  LoopbackHub fault(String fileOrRepository, Fault... next) {
    faults.computeIfAbsent(fileOrRepository, _ -> new ArrayDeque<>()).addAll(List.of(next));
    return this;
  }

  /** As a mirror does that ignores {@code blobs=true}. */
  void listNamesOnly() {
    listsBlobs = false;
  }

  /** Answers 401 to all who do not bring this token. */
  void requireToken(String token) {
    requiredToken = token;
  }

  List<Request> requests() {
    return List.copyOf(requests);
  }

  /** How often bytes of the file were asked for. */
  long bodiesSent(String file) {
    return requests.stream()
        .filter(r -> r.method().equals("GET") && r.path().endsWith("/" + file))
        .filter(r -> r.server().equals("cdn") || !isLarge(r.path()))
        .count();
  }

  void forgetRequests() {
    requests.clear();
  }

  @Override
  public void close() {
    closing.countDown();
    hub.stop(0);
    cdn.stop(0);
  }

  static boolean isLarge(String path) {
    return path.endsWith(".safetensors") || path.endsWith(".gguf");
  }

  static String etag(String path, byte[] content) {

    var digest = isLarge(path) ? Checksum.sha256() : Checksum.gitBlob(content.length);
    digest.update(content);
    return Checksum.hex(digest);
  }

  private static URI address(HttpServer server) {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  private void handle(String server, HttpExchange exchange) throws IOException {
    try (exchange) {
      var path = exchange.getRequestURI().getPath();
      var headers = exchange.getRequestHeaders();
      requests.add(
          new Request(
              server,
              exchange.getRequestMethod(),
              path,
              headers.getFirst("Authorization") == null ? "" : headers.getFirst("Authorization"),
              headers.getFirst("Range") == null ? "" : headers.getFirst("Range")));
      if (server.equals("cdn")) {
        var parts = path.split("/", 5);
        serve(exchange, parts[4], content(parts[1] + "/" + parts[2], parts[3], parts[4]));
      } else if (!requiredToken.isEmpty()
          && !("Bearer " + requiredToken).equals(headers.getFirst("Authorization"))) {
        status(exchange, 401, "X-Error-Message", "Invalid username or password.");
      } else if (path.startsWith("/api/models/")) {
        api(exchange, exchange.getRequestURI().getRawPath());
      } else {
        resolve(exchange, path);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      e.printStackTrace(); // A mistake in this class: the server itself would only drop the
      // connection.
      throw e;
    }
  }

  private void api(HttpExchange exchange, String rawPath) throws IOException {
    // /api/models/owner/name/revision/REV, /api/models/owner/name/tree/REV, /api/models/owner/name
    var parts = rawPath.split("/");
    var id = parts[3] + "/" + parts[4];
    if (takeFault(id) instanceof Fault.Status(int code, String[] headers)) {
      status(exchange, code, headers);
      return;
    }
    var repository = repositories.get(id);
    var revision = parts.length < 7 ? "main" : URLDecoder.decode(parts[6], StandardCharsets.UTF_8);
    if (repository == null) {
      status(exchange, 404, "X-Error-Code", "RepoNotFound");
    } else if (!repository.revisions.containsKey(revision)) {
      status(exchange, 404, "X-Error-Code", "RevisionNotFound");
    } else {
      var commit = repository.revisions.get(revision);
      var files = repository.commits.get(commit);
      var mapper = JsonMapper.shared();
      var tree = parts.length > 5 && parts[5].equals("tree");
      var body =
          tree
              ? tree(files)
              : mapper
                  .createObjectNode()
                  .put("id", id)
                  .put("sha", commit)
                  .set("siblings", siblings(files));
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      send(exchange, 200, mapper.writeValueAsBytes(body));
    }
  }

  private ArrayNode siblings(Map<String, byte[]> files) {
    var siblings = JsonMapper.shared().createArrayNode();
    files.forEach(
        (path, content) -> {
          var sibling = siblings.addObject().put("rfilename", path);
          if (listsBlobs) {
            sibling.put("size", content.length).put("blobId", gitSha1(content));
            if (isLarge(path)) {
              sibling
                  .putObject("lfs")
                  .put("sha256", etag(path, content))
                  .put("size", content.length)
                  .put("pointerSize", 134);
            }
          }
        });
    return siblings;
  }

  private static ArrayNode tree(Map<String, byte[]> files) {
    var tree = JsonMapper.shared().createArrayNode();
    files.forEach(
        (path, content) -> {
          var entry =
              tree.addObject()
                  .put("type", "file")
                  .put("path", path)
                  .put("size", content.length)
                  .put("oid", gitSha1(content));
          if (isLarge(path)) {
            entry
                .putObject("lfs")
                .put("oid", etag(path, content))
                .put("size", content.length)
                .put("pointerSize", 134);
          }
        });
    return tree;
  }

  private static String gitSha1(byte[] content) {
    var digest = Checksum.gitBlob(content.length);
    digest.update(content);
    return Checksum.hex(digest);
  }

  private void resolve(HttpExchange exchange, String path)
      throws IOException, InterruptedException {
    // /owner/name/resolve/REV/path
    var parts = path.split("/", 6);
    var id = parts[1] + "/" + parts[2];
    var commit = repositories.get(id).revisions.get(parts[4]);
    var content = content(id, commit, parts[5]);
    var headers = exchange.getResponseHeaders();
    headers.set("X-Repo-Commit", commit);
    if (content == null) {
      status(exchange, 404, "X-Error-Code", "EntryNotFound");
    } else if (isLarge(path)) {
      headers.set("X-Linked-Etag", "\"" + etag(path, content) + "\"");
      headers.set("X-Linked-Size", Integer.toString(content.length));
      headers.set(
          "Location", address(cdn) + "/" + id + "/" + commit + "/" + parts[5].replace(" ", "%20"));
      exchange.sendResponseHeaders(302, -1);
    } else {
      headers.set("ETag", "\"" + etag(path, content) + "\"");
      serve(exchange, parts[5], content);
    }
  }

  private byte[] content(String id, String commit, String path) {
    return repositories.get(id).commits.get(commit).get(path);
  }

  private void serve(HttpExchange exchange, String path, byte[] content)
      throws IOException, InterruptedException {
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", Integer.toString(content.length));
      exchange.sendResponseHeaders(200, -1);
      return;
    }
    var fault = takeFault(path);
    if (fault instanceof Fault.Status(int code, String[] headers)) {
      status(exchange, code, headers);
      return;
    }
    if (fault instanceof Fault.Late(long millis) && closing.await(millis, TimeUnit.MILLISECONDS)) {
      return;
    }
    var from = fault instanceof Fault.IgnoreRange ? 0 : rangeStart(exchange);
    if (from >= content.length && from > 0) {
      status(exchange, 416);
      return;
    }
    if (from > 0) {
      exchange
          .getResponseHeaders()
          .set(
              "Content-Range",
              "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
    }
    var body = Arrays.copyOfRange(content, from, content.length);
    exchange.sendResponseHeaders(from > 0 ? 206 : 200, body.length == 0 ? -1 : body.length);
    if (fault instanceof Fault.WrongByte) {
      body[body.length / 2] ^= 1;
    }
    var length =
        switch (fault) {
          case Fault.CutAfter(int bytes) -> bytes;
          case Fault.StallAfter(int bytes) -> bytes;
          case null, default -> body.length;
        };
    exchange.getResponseBody().write(body, 0, length);
    exchange.getResponseBody().flush();
    if (fault instanceof Fault.StallAfter) {
      closing.await();
    }
  }

  private static int rangeStart(HttpExchange exchange) {
    var range = exchange.getRequestHeaders().getFirst("Range");
    return range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-.*", "$1"));
  }

  private Fault takeFault(String path) {
    var waiting = faults.get(path);
    if (waiting == null) {
      return null;
    }
    synchronized (waiting) {
      return waiting.poll();
    }
  }

  private static void status(HttpExchange exchange, int code, String... headers)
      throws IOException {
    for (var i = 0; i < headers.length; i += 2) {
      exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
    }
    send(exchange, code, "{\"error\":\"as asked for\"}".getBytes(StandardCharsets.UTF_8));
  }

  private static void send(HttpExchange exchange, int code, byte[] body) throws IOException {
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(code, -1);
    } else {
      exchange.sendResponseHeaders(code, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  /**
   * Files of a small repository; the contents of its two shards are random, but always the same.
   */
  static Map<String, byte[]> tinyModel() {
    var random = new Random(7);
    var shards = List.of(new byte[300_000], new byte[200_000]);
    shards.forEach(random::nextBytes);
    var files = new LinkedHashMap<String, byte[]>();
    files.put("config.json", utf8("{\"model_type\":\"llama\"}"));
    files.put("generation_config.json", utf8("{}"));
    files.put(
        "model.safetensors.index.json",
        utf8(
            "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\",\"b\":\"model-00002-of-00002.safetensors\"}}"));
    files.put("model-00001-of-00002.safetensors", shards.get(0));
    files.put("model-00002-of-00002.safetensors", shards.get(1));
    files.put("tokenizer.json", utf8("{\"model\":{}}"));
    files.put("tokenizer_config.json", utf8("{\"eos_token\":\"</s>\"}"));
    files.put("chat_template.jinja", utf8("{{ messages }}"));
    files.put("README.md", utf8("# A model"));
    files.put("onnx/model.onnx", utf8("not for us"));
    files.put("original/consolidated.safetensors", utf8("not for us"));
    files.put("pytorch_model.bin", utf8("not for us"));
    return files;
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
