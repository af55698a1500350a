package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.pipeline.Call;
import dev.vllmmlx.gateway.pipeline.ReplyEncoder;
import dev.vllmmlx.spi.Engine;
import java.time.Duration;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** One API's way of asking and of answering. */
public interface Dialect {

  /**
   * Reads a request. May block, where a prompt has to be turned into text.
   *
   * @param requestId of the HTTP request, for the log
   * @throws dev.vllmmlx.gateway.pipeline.ApiException naming the field at fault
   */
  Decoded decode(JsonNode body, Engine engine, Defaults defaults, String requestId);

  /**
   * A decoded call and what its reply will be written with.
   *
   * @param idPrefix of the reply's id: {@code chatcmpl}
   */
  record Decoded(Call call, String idPrefix, EncoderFactory encoder) {}

  /** Makes an encoder for a reply. */
  @FunctionalInterface
  interface EncoderFactory {
    ReplyEncoder make(ReplyHead head);
  }

  /**
   * What all chunks of a reply begin with.
   *
   * @param created in seconds since 1970
   */
  record ReplyHead(String id, String model, long created) {}

  /**
   * What the server's command line sets for requests that do not say.
   *
   * @param maxTokens the longest answer
   * @param timeout the longest time for it; empty for no limit
   */
  record Defaults(int maxTokens, Optional<Duration> timeout) {}
}
