package dev.vllmmlx.gateway.bench;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A whole answer, and when each part of it came.
 *
 * @param parts in order; together they are the body
 */
record TimedBody(int status, Buffer body, List<Part> parts) {

  /**
   * Some bytes that came at once.
   *
   * @param end where they end in the body
   * @param nanos by {@link System#nanoTime}
   */
  record Part(int end, long nanos) {}

  /** A line without its end, and when its end came. */
  record Line(String text, long nanos) {}

  /**
   * Must be called when a response has just begun, on its event loop. Fails with an {@link
   * IOException} where it is cut off.
   */
  static Future<TimedBody> receive(HttpClientResponse response) {
    var body = Buffer.buffer();
    var parts = new ArrayList<Part>();
    var whole = Promise.<TimedBody>promise();
    response.exceptionHandler(e -> whole.tryFail(new IOException("the answer was cut off", e)));
    response.handler(
        bytes -> {
          body.appendBuffer(bytes);
          parts.add(new Part(body.length(), System.nanoTime()));
        });
    response.endHandler(
        _ -> whole.tryComplete(new TimedBody(response.statusCode(), body, List.copyOf(parts))));
    return whole.future();
  }

  String text() {
    return body.toString(StandardCharsets.UTF_8);
  }

  List<Line> lines() {
    var lines = new ArrayList<Line>();
    var bytes = body.getBytes();
    var part = 0;
    for (var begin = 0; begin < bytes.length; ) {
      var end = begin;
      while (end < bytes.length && bytes[end] != '\n') {
        end++;
      }
      while (part < parts.size() - 1 && parts.get(part).end() <= end) {
        part++;
      }
      var text = new String(bytes, begin, end - begin, StandardCharsets.UTF_8);
      lines.add(new Line(text.stripTrailing(), parts.get(part).nanos()));
      begin = end + 1;
    }
    return lines;
  }
}
