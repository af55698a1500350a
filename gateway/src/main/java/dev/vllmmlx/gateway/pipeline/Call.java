package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a client asked for, decoded from whichever dialect.
 *
 * @param promptField the field that the prompts came in, for errors
 * @param prompts one for chats; completions may have several
 * @param choices answers to each prompt
 * @param sampling with the model's defaults where the client set nothing
 * @param stop with the server's defaults likewise
 * @param topLogprobs as {@link dev.vllmmlx.spi.GenerationRequest#topLogprobs}
 * @param answering what the answers must be, and how they are read
 * @param stream whether the reply is a stream of chunks
 * @param includeUsage whether the stream ends with the usage
 * @param echo whether the prompt's text stands before each answer
 * @param timeout the longest that the answer may take, with the server's default likewise
 * @param priority higher goes first
 * @param ignored fields that nobody here knows, for the response's header and the log
 */
public record Call(
    String promptField,
    List<Prompt> prompts,
    int choices,
    Sampling sampling,
    StopConditions stop,
    OptionalInt topLogprobs,
    Answering answering,
    boolean stream,
    boolean includeUsage,
    boolean echo,
    Optional<Duration> timeout,
    int priority,
    List<String> ignored) {

  public Call {
    Objects.requireNonNull(promptField);
    prompts = List.copyOf(prompts);
    Objects.requireNonNull(sampling);
    Objects.requireNonNull(stop);
    Objects.requireNonNull(topLogprobs);
    Objects.requireNonNull(answering);
    Objects.requireNonNull(timeout);
    ignored = List.copyOf(ignored);
  }
}
