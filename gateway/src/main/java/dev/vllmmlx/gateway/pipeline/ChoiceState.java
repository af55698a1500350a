package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.TokenLogprob;
import dev.vllmmlx.spi.Usage;
import dev.vllmmlx.text.parts.Part;
import dev.vllmmlx.text.parts.PartReader;
import dev.vllmmlx.text.parts.Parts;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/**
 * One choice of a call as its events come in: what has not been sent yet, and how it ended. For a
 * reply in one body nothing is sent until the end, so that it is the fold of the stream. Confined
 * to the request's event loop.
 */
public final class ChoiceState {
  private final int index;
  private final int promptIndex;
  private final Answering answering;
  private final Parts parts = new Parts();
  private final List<TokenLogprob> logprobs = new ArrayList<>();
  private int tokens;
  private int completionTokens;
  private Optional<GenerationEvent.Finished> finished = Optional.empty();
  private Usage usage = new Usage(0, 0, 0);
  private OptionalLong lastToken = OptionalLong.empty();
  private PartReader reader = PartReader.ofContent();
  private boolean called;
  private boolean opened;
  private boolean closed;

  ChoiceState(int index, int promptIndex, Answering answering) {
    this.index = index;
    this.promptIndex = promptIndex;
    this.answering = answering;
  }

  /** The choices of a call: all those of its first prompt, then of the next. */
  static List<ChoiceState> of(Call call) {
    return IntStream.range(0, call.prompts().size() * call.choices())
        .mapToObj(index -> new ChoiceState(index, index / call.choices(), call.answering()))
        .toList();
  }

  /** Its place among the choices of the call. */
  public int index() {
    return index;
  }

  /** Which of the call's prompts it answers. */
  public int promptIndex() {
    return promptIndex;
  }

  /** How it ended; empty while it goes on. */
  public Optional<FinishReason> finishReason() {
    return finished.map(GenerationEvent.Finished::reason);
  }

  /** The stop string or token that ended it. */
  public Optional<String> stop() {
    return finished.flatMap(GenerationEvent.Finished::stop);
  }

  /** What it has used so far. */
  public Usage usage() {
    return usage;
  }

  /** When its last token came, as {@link System#nanoTime()}; empty before the first. */
  OptionalLong lastToken() {
    return lastToken;
  }

  void add(GenerationEvent.Started started) {
    usage = new Usage(started.promptTokens(), started.cachedTokens(), 0);
    reader = answering.reader(started.thinking());
  }

  void add(GenerationEvent.Delta delta, long nanos) {
    if (delta.tokens() > 0) {
      lastToken = OptionalLong.of(nanos);
    }
    reader.feed(delta.text(), parts);
    logprobs.addAll(delta.logprobs());
    tokens += delta.tokens();
    completionTokens += delta.tokens();
    usage = new Usage(usage.promptTokens(), usage.cachedTokens(), completionTokens);
  }

  void add(GenerationEvent.Finished event) {
    // Only a stop is the model's own end.
    reader.finish(event.reason() != FinishReason.STOP, parts);
    finished = Optional.of(event);
    usage = event.usage();
  }

  /** Whether at least so many tokens wait to be sent, or all that are left. */
  boolean isDue(int interval) {
    return tokens >= interval || finished.isPresent();
  }

  boolean hasUnsent() {
    // Probabilities go with the text that they belong to, also where it is held back for a while.
    return !parts.isEmpty() || (finished.isPresent() && !logprobs.isEmpty());
  }

  /** The text that has not been sent; from now on it has. */
  Piece take() {
    var piece = new Piece(parts.take(), List.copyOf(logprobs));
    called |= piece.parts().stream().anyMatch(Part.ToolCallEnd.class::isInstance);
    logprobs.clear();
    tokens = 0;
    return piece;
  }

  /** True the first time. */
  boolean open() {
    var first = !opened;
    opened = true;
    return first;
  }

  /** True the first time. */
  boolean close() {
    var first = !closed;
    closed = true;
    return first;
  }

  boolean isClosed() {
    return closed;
  }

  /** Whether there is a whole call in what was taken. */
  public boolean called() {
    return called;
  }

  /** Parts and log probabilities that go out together. */
  public record Piece(List<Part> parts, List<TokenLogprob> logprobs) {

    /** Its content, without what is anything else. */
    public String text() {
      var text = new StringBuilder();
      for (var part : parts) {
        if (part instanceof Part.Content(var more)) {
          text.append(more);
        }
      }
      return text.toString();
    }
  }
}
