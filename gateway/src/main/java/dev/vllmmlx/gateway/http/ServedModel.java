package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.spi.ModelInfo;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The model's names, and how {@code /v1/models} shows it. */
record ServedModel(ModelInfo model) {
  private static final String ANY = "default";

  /** Whether a client that names this means the model that is served. */
  boolean isCalled(String name) {
    return name.equals(ANY) || name.equals(model.id());
  }

  /**
   * Checks the {@code model} of a request; a request without one means the model that is there.
   *
   * @return the model's id, for the reply
   */
  String require(JsonNode body) {
    var name = body.get("model");
    if (name == null || name.isNull()) {
      return model.id();
    }
    if (!name.isString()) {
      throw new ApiException(ApiError.invalid("model", "model must be a string", "invalid_type"));
    }
    if (!isCalled(name.stringValue())) {
      throw new ApiException(notFound(name.stringValue()));
    }
    return model.id();
  }

  ApiError notFound(String name) {
    return new ApiError(
        404,
        "invalid_request_error",
        Optional.of("model_not_found"),
        Optional.of("model"),
        "the model \"%s\" is not served here; \"%s\" is, also as \"%s\""
            .formatted(name, model.id(), ANY),
        Optional.empty());
  }

  ObjectNode describe() {
    var node = JsonNodeFactory.instance.objectNode();
    node.put("id", model.id());
    node.put("object", "model");
    node.put("created", model.created().getEpochSecond());
    node.put("owned_by", "vllm-mlx");
    node.put("max_model_len", model.contextLength());
    return node;
  }
}
