package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.gateway.pipeline.ReplyEncoder.Totals;
import io.vertx.core.http.HttpServerResponse;
import java.util.List;
import java.util.function.Supplier;

/** The reply in one JSON body, when all choices have ended. */
final class BodyReply implements Reply {
  private final HttpServerResponse response;
  private final ReplyEncoder encoder;
  private final Supplier<List<ChoiceState>> choices;

  BodyReply(
      HttpServerResponse response, ReplyEncoder encoder, Supplier<List<ChoiceState>> choices) {
    this.response = response;
    this.encoder = encoder;
    this.choices = choices;
  }

  @Override
  public void started(ChoiceState choice) {}

  @Override
  public void advanced(ChoiceState choice) {}

  @Override
  public void completed() {
    var all = choices.get();
    var pieces = all.stream().map(ChoiceState::take).toList();
    JsonReply.send(response, 200, encoder.body(all, pieces, Totals.of(all)));
  }

  @Override
  public void failed(ApiError error) {
    JsonReply.send(response, error, encoder.error(error));
  }
}
