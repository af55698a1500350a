package dev.vllmmlx.gateway.pipeline;

import java.util.List;
import java.util.Optional;

/**
 * How a call ended.
 *
 * @param choices as far as they came
 * @param error why they came no further; empty when all was answered
 */
public record Outcome(List<ChoiceState> choices, Optional<ApiError> error) {}
