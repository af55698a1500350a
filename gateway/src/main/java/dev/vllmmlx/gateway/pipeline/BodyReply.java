package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.gateway.pipeline.ReplyEncoder.Totals;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerResponse;
import java.util.List;

/** The reply in one JSON body, when all choices have ended. */
final class BodyReply implements Reply {
  private final HttpServerResponse response;
  private final ReplyEncoder encoder;
  private final List<ChoiceState> choices;

  BodyReply(HttpServerResponse response, ReplyEncoder encoder, List<ChoiceState> choices) {
    this.response = response;
    this.encoder = encoder;
    this.choices = choices;
  }

  @Override
  public void started(ChoiceState choice) {}

  @Override
  public void advanced(ChoiceState choice) {}

  @Override
  public Future<Void> completed() {
    var pieces = choices.stream().map(ChoiceState::take).toList();
    return JsonReply.send(response, 200, encoder.body(choices, pieces, Totals.of(choices)));
  }

  @Override
  public Future<Void> failed(ApiError error) {
    return JsonReply.send(response, error, encoder.error(error));
  }

  @Override
  public void gone() {}
}
