package dev.vllmmlx.hub;

import dev.vllmmlx.hub.Backoff.Passing;
import dev.vllmmlx.hub.ModelReference.HubModel;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the hub is asked: a repository's files at a revision, and the bytes of one. */
final class HubApi {
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /**
   * A repository at one commit.
   *
   * @param commit 40 hex digits
   */
  record Listing(String commit, List<RepositoryFile> files) {
    Listing {
      files = List.copyOf(files);
    }
  }

  private final HubSettings settings;
  private final HubHttp http;

  HubApi(HubSettings settings, HubHttp http) {
    this.settings = settings;
    this.http = http;
  }

  static boolean isCommit(String revision) {
    return COMMIT.matcher(revision).matches();
  }

  /** The files of the model's repository at its revision. */
  Listing list(HubModel model, Backoff backoff) {
    var address =
        URI.create(
            "%s/api/models/%s/revision/%s?blobs=true"
                .formatted(
                    settings.endpoint(),
                    model.repository(),
                    URLEncoder.encode(model.revision(), StandardCharsets.UTF_8)));
    var root = backoff.run(() -> json(model, address));
    var commit = root.path("sha").asString("");
    if (!isCommit(commit)) {
      throw notAHub(address);
    }
    var files = new ArrayList<RepositoryFile>();
    for (var sibling : root.path("siblings")) {
      files.add(file(model, commit, sibling, backoff));
    }
    return new Listing(commit, files);
  }

  /**
   * The bytes of a file from the given one on, as a 206; or the whole file, as a 200, from a server
   * that does not do parts; or a 416 if the file is not that long. The caller closes the body.
   */
  HttpResponse<InputStream> open(HubModel model, String commit, RepositoryFile file, long offset)
      throws Passing {
    var response = http.get(fileAddress(model, commit, file.path()), offset);
    return switch (response.statusCode()) {
      case 200, 206, 416 -> response;
      default -> {
        closeQuietly(response);
        throw refused(model, file.path(), response.statusCode(), response.headers());
      }
    };
  }

  private JsonNode json(HubModel model, URI address) throws Passing {
    var response = http.get(address, 0);
    try (var body = new StallGuard(response.body(), settings.timeout())) {
      if (response.statusCode() != 200) {
        throw refused(model, "", response.statusCode(), response.headers());
      }
      return JsonMapper.shared().readTree(body.readAllBytes());
    } catch (IOException e) {
      throw new Passing("The list of files broke off: %s.".formatted(HubHttp.reason(e)), e);
    } catch (JacksonException _) {
      throw notAHub(address);
    }
  }

  private RepositoryFile file(HubModel model, String commit, JsonNode sibling, Backoff backoff) {
    var path = sibling.path("rfilename").asString("");
    var sha256 = sibling.path("lfs").path("sha256").asString("");
    var blob = sibling.path("blobId").asString("");
    var size = sibling.path("lfs").path("size").asLong(sibling.path("size").asLong(-1));
    var etag = sha256.isEmpty() ? blob : sha256;
    if (etag.isEmpty() || size < 0) {
      // A mirror that does not know "blobs=true"; the headers of the file itself say the same.
      return backoff.run(() -> fileByHead(model, commit, path));
    }
    return new RepositoryFile(path, size, etag);
  }

  private RepositoryFile fileByHead(HubModel model, String commit, String path) throws Passing {
    var address = fileAddress(model, commit, path);
    var response = http.head(address);
    var headers = response.headers();
    if (response.statusCode() >= 400) {
      throw refused(model, path, response.statusCode(), headers);
    }
    var etag = headers.firstValue("X-Linked-Etag").or(() -> headers.firstValue("ETag"));
    var size = headers.firstValue("X-Linked-Size").or(() -> headers.firstValue("Content-Length"));
    if (etag.isEmpty() || size.isEmpty() || !size.get().matches("\\d{1,18}")) {
      throw notAHub(address);
    }
    var bare = etag.get().replaceFirst("^W/", "").replace("\"", "");
    return new RepositoryFile(path, Long.parseLong(size.get()), bare);
  }

  private URI fileAddress(HubModel model, String commit, String path) {
    var encoded = URLEncoder.encode(path, StandardCharsets.UTF_8);
    return URI.create(
        "%s/%s/resolve/%s/%s"
            .formatted(
                settings.endpoint(),
                model.repository(),
                commit,
                encoded.replace("+", "%20").replace("%2F", "/")));
  }

  private HubException refused(HubModel model, String file, int status, HttpHeaders headers) {
    var code = headers.firstValue("X-Error-Code").orElse("");
    var words = headers.firstValue("X-Error-Message").map(text -> " The hub says: " + text);
    var page = settings.endpoint() + "/" + model.repository();
    var token = settings.token().isPresent();
    return switch (status) {
      case 401 ->
          new HubException.AccessDenied(
              (token
                          ? "The hub does not let this token see %s (401). Check the name and the token in HF_TOKEN; if the repository is gated, its terms must be accepted at %s."
                          : "The hub shows %s only to those who log in, or it does not exist (401). Check the name; for a private or gated repository set HF_TOKEN, after accepting its terms at %s.")
                      .formatted(model.repository(), page)
                  + words.orElse(""));
      case 403 ->
          new HubException.AccessDenied(
              "Access to %s is refused (403): it is gated, or the token in HF_TOKEN lacks the right to read it. Ask for access at %s%s."
                      .formatted(model.repository(), page, token ? "" : ", and set HF_TOKEN")
                  + words.orElse(""));
      case 404 -> new HubException.NotFound(notFound(model, file, code));
      default ->
          new HubException.Unreachable(
              "The hub answers %d for %s.".formatted(status, model.repository()) + words.orElse(""),
              null);
    };
  }

  private String notFound(HubModel model, String file, String code) {
    return switch (code.toLowerCase(Locale.ROOT)) {
      case "revisionnotfound" ->
          "%s has no revision '%s' (404).".formatted(model.repository(), model.revision());
      case "entrynotfound" ->
          "%s has no file '%s' at revision '%s' (404)."
              .formatted(model.repository(), file, model.revision());
      default ->
          "There is no repository '%s' at %s (404), and no folder of that name here."
              .formatted(model.repository(), settings.endpoint());
    };
  }

  private HubException notAHub(URI address) {
    return new HubException.Unreachable(
        "%s does not answer as a Hugging Face hub does. Check HF_ENDPOINT, and whether a proxy or login page stands in between."
            .formatted(address),
        null);
  }

  private static void closeQuietly(HttpResponse<InputStream> response) {
    try {
      response.body().close();
    } catch (IOException _) {
      // Only an error page is lost.
    }
  }
}
