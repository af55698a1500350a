package dev.vllmmlx.gateway.pipeline;

import java.util.Objects;
import java.util.Optional;

/**
 * Who asks, and how the call is named.
 *
 * @param id of the reply, which no other has
 * @param requestId of the HTTP request, which the client may have chosen and said before
 * @param tenant as {@link dev.vllmmlx.spi.GenerationRequest#tenant}
 */
public record Caller(String id, String requestId, String tenant) {
  public Caller {
    Objects.requireNonNull(id);
    Objects.requireNonNull(requestId);
    Objects.requireNonNull(tenant);
  }

  /** Whether the call is of this tenant, or whether there is none to ask about. */
  boolean isOf(Optional<String> someTenant) {
    return someTenant.isEmpty() || someTenant.get().equals(tenant);
  }

  boolean isCalled(String name) {
    return id.equals(name) || requestId.equals(name);
  }
}
