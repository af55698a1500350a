package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.StopConditions;
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
import tools.jackson.databind.node.ObjectNode;

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
  private final Parts heard = new Parts(); // Of a choice with tools, before it is looked through.
  private final List<ObjectNode> toolEvents = new ArrayList<>();
  private Optional<ToolChoice> tools = Optional.empty();
  private final List<TokenLogprob> logprobs = new ArrayList<>();
  private int tokens;
  private int completionTokens;
  private Optional<GenerationEvent.Finished> finished = Optional.empty();
  private Usage usage = new Usage(0, 0, 0); // Of the round under way.
  private Usage earlier = new Usage(0, 0, 0);
  private Usage firstPrompt = new Usage(0, 0, 0);
  private int round;
  private OptionalLong lastToken = OptionalLong.empty();
  private final Checked checked;
  private List<AnswerCheck.Warning> warnings = List.of();
  private boolean whole; // Nothing is added to what is checked.
  private PartReader reader = PartReader.ofContent();
  private boolean called;
  private boolean opened;
  private boolean closed;

  ChoiceState(int index, int promptIndex, Answering answering) {
    this.index = index;
    this.promptIndex = promptIndex;
    this.answering = answering;
    this.checked = new Checked(answering.check());
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

  /** What it has used so far, in all its rounds. */
  public Usage usage() {
    return sum(earlier, usage);
  }

  /**
   * What earlier rounds have left of the call's conditions: its lengths are the whole answer's.
   *
   * @return empty if not a token is left
   */
  Optional<StopConditions> left(StopConditions ofCall) {
    var used = earlier.completionTokens();
    return used >= ofCall.maxTokens()
        ? Optional.empty()
        : Optional.of(
            new StopConditions(
                ofCall.maxTokens() - used,
                Math.max(0, ofCall.minTokens() - used),
                ofCall.strings(),
                ofCall.tokenIds(),
                ofCall.ignoreEos()));
  }

  /** The prompt of its first round, which its siblings share. */
  Usage firstPrompt() {
    return firstPrompt;
  }

  /** How many rounds of tools lie behind it. */
  int round() {
    return round;
  }

  /** Its calls may be run here. To be called before anything comes. */
  void with(ToolChoice itsTools) {
    tools = Optional.of(itsTools);
  }

  Optional<ToolChoice> tools() {
    return tools;
  }

  /** When its last token came, as {@link System#nanoTime()}; empty before the first. */
  OptionalLong lastToken() {
    return lastToken;
  }

  void add(GenerationEvent.Started started) {
    usage = new Usage(started.promptTokens(), started.cachedTokens(), 0);
    if (round == 0) {
      firstPrompt = usage;
    }
    var given = tools.map(it -> it.prompt().tools()).orElse(answering.tools());
    reader = answering.reader(given, started.thinking());
  }

  void add(GenerationEvent.Delta delta, long nanos) {
    if (delta.tokens() > 0) {
      lastToken = OptionalLong.of(nanos);
    }
    reader.feed(delta.text(), heardInto());
    handOn();
    logprobs.addAll(delta.logprobs());
    tokens += delta.tokens();
    completionTokens += delta.tokens();
    usage = new Usage(usage.promptTokens(), usage.cachedTokens(), completionTokens);
  }

  private void handOn() {
    tools.ifPresent(it -> it.read(heard.take(), parts));
  }

  private Parts heardInto() {
    return tools.isPresent() ? heard : parts;
  }

  /** An answer is over, the last one or that of a round. */
  void hearOut(FinishReason reason) {
    // Only a stop is the model's own end.
    reader.finish(reason != FinishReason.STOP, heardInto());
    handOn();
  }

  /** A round is over, and its tools run: no token comes meanwhile. */
  void endRound(GenerationEvent.Finished event) {
    earlier = sum(earlier, event.usage());
    usage = new Usage(0, 0, 0);
    completionTokens = 0;
    lastToken = OptionalLong.empty();
    round++;
  }

  /** Something happened to a call that is run here. How far it is, is told once, the latest. */
  void tell(ObjectNode event) {
    toolEvents.removeIf(
        old ->
            old.path("type").asString("").equals("tool_progress")
                && old.path("tool_call_id").equals(event.path("tool_call_id")));
    toolEvents.add(event.put("choice", index));
  }

  private static Usage sum(Usage one, Usage other) {
    return new Usage(
        one.promptTokens() + other.promptTokens(),
        one.cachedTokens() + other.cachedTokens(),
        one.completionTokens() + other.completionTokens());
  }

  /**
   * The last answer is over: nothing more is said.
   *
   * @return what to check of it, on another thread; empty if nothing, as where it was cut
   */
  Optional<Checked> conclude(FinishReason reason) {
    tools.ifPresent(it -> it.release(parts));
    checked.add(parts.peek());
    whole = true;
    return Optional.of(checked).filter(it -> reason == FinishReason.STOP && it.isNeeded());
  }

  /**
   * To be called behind {@link #conclude}.
   *
   * @param found what is wrong with the answer
   */
  void add(GenerationEvent.Finished event, List<AnswerCheck.Warning> found) {
    finished = Optional.of(event);
    usage = event.usage();
    warnings = List.copyOf(found);
  }

  /** Whether at least so many tokens wait to be sent, all that are left, or news of tools. */
  boolean isDue(int interval) {
    return tokens >= interval || finished.isPresent() || !toolEvents.isEmpty();
  }

  boolean hasUnsent() {
    // Probabilities go with the text that they belong to, also where it is held back for a while.
    return !parts.isEmpty()
        || !toolEvents.isEmpty()
        || (finished.isPresent() && !logprobs.isEmpty());
  }

  /** The text that has not been sent; from now on it has. */
  Piece take() {
    var piece = new Piece(parts.take(), List.copyOf(logprobs), List.copyOf(toolEvents));
    if (!whole) {
      checked.add(piece.parts());
    }
    called |= piece.parts().stream().anyMatch(Part.ToolCallEnd.class::isInstance);
    logprobs.clear();
    toolEvents.clear();
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

  /** What is wrong with the answer, once it has ended. One that was cut is not checked. */
  public List<AnswerCheck.Warning> warnings() {
    return warnings;
  }

  /**
   * What goes out together.
   *
   * @param toolEvents what became of calls that are run here
   */
  public record Piece(List<Part> parts, List<TokenLogprob> logprobs, List<ObjectNode> toolEvents) {

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
