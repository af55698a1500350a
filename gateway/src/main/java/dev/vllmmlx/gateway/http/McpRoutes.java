package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.mcp.McpNodes;
import dev.vllmmlx.gateway.mcp.McpTools;
import dev.vllmmlx.gateway.openai.Body;
import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.gateway.pipeline.JsonReply;
import dev.vllmmlx.mcp.config.NamePattern;
import dev.vllmmlx.mcp.connection.ProgressListener;
import dev.vllmmlx.mcp.tool.McpTool;
import dev.vllmmlx.mcp.tool.ToolSelection;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** {@code /v1/mcp/...}: the MCP servers, their tools, and calls of them. */
record McpRoutes(McpTools mcp, RequestBody body) {

  void servers(RoutingContext context) {
    JsonReply.send(context.response(), 200, McpNodes.servers(mcp));
  }

  void tools(RoutingContext context) {
    JsonReply.send(context.response(), 200, McpNodes.tools(mcp));
  }

  void status(RoutingContext context) {
    JsonReply.send(context.response(), 200, McpNodes.status(mcp));
  }

  /** Runs one call and answers with what came of it; a client that leaves cancels it. */
  void execute(RoutingContext context) {
    body.read(context)
        .compose(bytes -> run(context, bytes.getBytes()))
        .onSuccess(reply -> JsonReply.send(context.response(), 200, reply))
        .onFailure(context::fail);
  }

  private record Wanted(McpTool tool, String arguments) {}

  private Wanted read(byte[] bytes) {
    var body = Body.parse(bytes);
    if (!body.isObject()) {
      throw new ApiException(ApiError.invalid(null, "the body must be a JSON object"));
    }
    for (var field : body.propertyNames()) {
      if (!Set.of("tool_name", "arguments").contains(field)) {
        throw new ApiException(
            ApiError.unsupported(field, field + " is not a field of this request"));
      }
    }
    var name = body.path("tool_name");
    if (!name.isString()) {
      throw new ApiException(
          ApiError.invalid(
              "tool_name", "tool_name must be a string such as \"time__get_current_time\""));
    }
    var arguments = body.path("arguments");
    if (!arguments.isObject() && !arguments.isNull() && !arguments.isMissingNode()) {
      throw new ApiException(
          ApiError.invalid("arguments", "arguments must be an object", "invalid_type"));
    }
    return new Wanted(
        mcp.bridge().catalogue().find(name.stringValue()).orElseThrow(McpRoutes::noTool),
        arguments.isObject() ? arguments.toString() : "{}");
  }

  private Future<JsonNode> run(RoutingContext context, byte[] bytes) {
    var wanted = read(bytes);
    var only =
        new ToolSelection.Some(
            Optional.empty(),
            Optional.of(List.of(new NamePattern(wanted.tool().name()))),
            Optional.of(true));
    var session = mcp.bridge().session(RequestId.of(context), only, Set.of());
    context.response().closeHandler(_ -> session.close());
    var promise = Promise.<JsonNode>promise();
    var loop = context.vertx().getOrCreateContext();
    Thread.startVirtualThread(
        () -> {
          try (session) {
            var began = System.nanoTime();
            var outcome = session.call(wanted.tool(), wanted.arguments(), ProgressListener.NONE);
            var took = Duration.ofNanos(System.nanoTime() - began);
            var reply = McpNodes.outcome(wanted.tool(), outcome, took);
            loop.runOnContext(_ -> promise.complete(reply));
          } catch (RuntimeException e) {
            loop.runOnContext(_ -> promise.fail(e));
          }
        });
    return promise.future();
  }

  private static ApiException noTool() {
    return new ApiException(
        new ApiError(
            404,
            "invalid_request_error",
            Optional.of("tool_not_found"),
            Optional.of("tool_name"),
            "there is no such tool at the moment; GET /v1/mcp/tools lists them",
            Optional.empty()));
  }
}
