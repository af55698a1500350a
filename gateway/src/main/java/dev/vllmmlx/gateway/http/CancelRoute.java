package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.gateway.pipeline.Cancelled;
import dev.vllmmlx.gateway.pipeline.JsonReply;
import dev.vllmmlx.gateway.pipeline.Pipeline;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code POST /v1/requests/{id}/cancel}: ends a request, and answers when it has ended. The id is
 * that of the reply, or the request's {@code x-request-id}.
 */
record CancelRoute(Pipeline pipeline, ApiKeys keys) {

  void answer(RoutingContext context) {
    var id = context.pathParam("id");
    var loop = context.vertx().getOrCreateContext();
    pipeline
        .cancel(id, keys.scope(context))
        .onComplete(ended -> loop.runOnContext(_ -> answer(context, id, ended.result())));
  }

  private static void answer(RoutingContext context, String id, List<Cancelled> cancelled) {
    if (cancelled.isEmpty()) {
      // A key that may not know of a request must not learn of it.
      context.fail(
          new ApiException(
              ApiError.of(
                  404,
                  "request_not_found",
                  "no request of yours with the id \"%s\" is under way".formatted(id))));
      return;
    }
    JsonReply.send(context.response(), 200, describe(id, cancelled));
  }

  private static ObjectNode describe(String id, List<Cancelled> cancelled) {
    var body = JsonNodeFactory.instance.objectNode();
    body.put("id", id);
    body.put("object", "request.cancellation");
    var list = body.putArray("cancelled");
    for (var call : cancelled) {
      var entry = list.addObject();
      entry.put("id", call.id());
      var choices = entry.putArray("choices");
      for (var choice : call.choices()) {
        choices
            .addObject()
            .put("index", choice.index())
            .put("completion_tokens", choice.completionTokens());
      }
    }
    return body;
  }
}
