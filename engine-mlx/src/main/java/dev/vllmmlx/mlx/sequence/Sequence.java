package dev.vllmmlx.mlx.sequence;

import dev.vllmmlx.mlx.sample.SampledToken;
import dev.vllmmlx.mlx.sample.Sampler;
import dev.vllmmlx.mlx.sample.SamplingLimits;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.TokenLogprob;
import dev.vllmmlx.spi.Usage;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A request being answered: its ids, and all that is decided about its next one. An engine computes
 * scores and hands them to {@link #step}; the sequence chooses, tells the sink, and knows when and
 * why it ends. Not for several threads at once.
 *
 * <p>The token that ends an answer, by itself or by completing a stop string, is never among the
 * first {@code minTokens}, as in vLLM.
 */
public final class Sequence {
  private final GenerationRequest request;
  private final Tokenizer tokenizer;
  private final EventOutlet events;
  private final Phases phases;
  private final Set<Integer> endIds;
  private final Sampler sampler;
  private final AnswerText text;
  private final AnswerRules rules;

  /** Whether tokens that must follow are taken without scores. */
  private final boolean forces;

  private final int promptLength;
  private final int limit;
  private int[] tokens;

  /** Read by the status of the engine, on any thread. */
  private volatile int length;

  private int cachedTokens;
  private boolean ended;

  /**
   * @param prompt the request's prompt in ids
   * @param limits what the model can take
   * @param rules how the answer is written and what it must be
   * @param arrived when the request came, by {@link System#nanoTime}
   * @throws EngineException.InvalidRequest if a field has a value that cannot be served
   * @throws EngineException.ContextExceeded if the prompt leaves no room for an answer
   */
  public Sequence(
      GenerationRequest request,
      int[] prompt,
      SequenceLimits limits,
      Tokenizer tokenizer,
      AnswerRules rules,
      EventOutlet events,
      long arrived) {
    limits.check(prompt);
    SamplingLimits.check(request.sampling(), limits.vocabularySize());
    this.request = request;
    this.tokenizer = tokenizer;
    this.events = events;
    this.phases = new Phases(arrived);
    this.endIds = endIds(request, limits, tokenizer);
    this.rules = rules;
    this.forces = rules.constraint().isPresent() && request.topLogprobs().isEmpty();
    this.sampler = Sampler.of(request, prompt, endIds, rules.processors());
    this.text =
        new AnswerText(
            tokenizer.detokenizer(rules.written()), new StopStrings(request.stop().strings()));
    this.promptLength = prompt.length;
    this.limit = Math.min(request.stop().maxTokens(), limits.contextLength() - prompt.length);
    this.tokens = prompt.clone();
    this.length = prompt.length;
  }

  private static Set<Integer> endIds(
      GenerationRequest request, SequenceLimits limits, Tokenizer tokenizer) {
    var ids = new HashSet<Integer>();
    if (!request.stop().ignoreEos()) {
      tokenizer.endOfGenerationIds().stream()
          .filter(id -> id < limits.vocabularySize())
          .forEach(ids::add);
    }
    for (var id : request.stop().tokenIds()) {
      limits.checkIds("stop_token_ids", id);
      ids.add(id);
    }
    return Set.copyOf(ids);
  }

  public GenerationRequest request() {
    return request;
  }

  /** Tokens of the prompt. */
  public int promptLength() {
    return promptLength;
  }

  /** Tokens of prompt and answer so far. */
  public int length() {
    return length;
  }

  /** The ids from {@code from} to before {@code to}, in prompt and answer. */
  public int[] tokens(int from, int to) {
    return Arrays.copyOfRange(tokens, from, to);
  }

  /** The last id, which is the next that a model has to see. */
  public int lastToken() {
    return tokens[length - 1];
  }

  /**
   * The engine begins to compute; again, where more of it turns out to be cached.
   *
   * @param cachedTokens how many of the prompt's tokens it need not compute
   */
  public void begin(int cachedTokens) {
    this.cachedTokens = cachedTokens;
    phases.takenUp();
  }

  /** The prompt is computed, and the first {@link #step} follows. */
  public void started() {
    events.send(new GenerationEvent.Started(promptLength, cachedTokens, rules.thinking()));
  }

  /**
   * Chooses the next token, goes on by those that a constraint leaves no choice about, and tells
   * the sink.
   *
   * @param logits a score for each id of the vocabulary; used up
   * @return whether the sequence goes on
   * @throws EngineException.Internal if the scores are broken; the caller says {@link #fail}
   */
  public boolean step(float[] logits) {
    return accept(choose(logits));
  }

  /**
   * The first half of a step, which nobody else sees: chooses the next token. On any thread, while
   * nothing else is done with this sequence.
   *
   * @param logits as for {@link #step}
   * @throws EngineException.Internal if the scores are broken; the caller says {@link #fail}
   */
  public SampledToken choose(float[] logits) {
    return sampler.next(logits);
  }

  /**
   * The second half of a step: goes on by what was chosen.
   *
   * @return whether the sequence goes on
   */
  public boolean accept(SampledToken sampled) {
    take(sampled.id(), logprobs(sampled));
    if (forces) {
      for (var id : ended ? new int[0] : rules.constraint().orElseThrow().forced()) {
        sampler.chose(id);
        take(id, List.of());
        if (ended) {
          break;
        }
      }
    }
    return !ended;
  }

  private void take(int id, List<TokenLogprob> logprobs) {
    phases.token();
    append(id);
    if (endIds.contains(id)) {
      end(FinishReason.STOP, Optional.of(written(id)), "", 1, logprobs);
      return;
    }
    rules.took(id);
    var more = text.feed(id, stopsCount());
    if (text.stop().isPresent()) {
      end(FinishReason.STOP, text.stop(), more, 1, logprobs);
    } else if (rules.complete()) {
      end(FinishReason.STOP, Optional.empty(), more, 1, logprobs);
    } else if (answerLength() >= limit) {
      end(FinishReason.LENGTH, Optional.empty(), more, 1, logprobs);
    } else {
      events.send(new GenerationEvent.Delta(more, 1, logprobs));
      if (events.broken()) {
        cancel();
      }
    }
  }

  /** Ends it before its time, with whatever text was held back. */
  public void cancel() {
    end(FinishReason.CANCELLED, Optional.empty(), "", 0, List.of());
  }

  /** Ends it by a fault. */
  public void fail(EngineException error) {
    if (!ended) {
      ended = true;
      events.send(new GenerationEvent.Failed(error));
    }
  }

  /** Frees what its rules hold; on any thread, when it has ended. */
  public void close() {
    rules.close();
  }

  /** Whether its terminal event was sent. */
  public boolean ended() {
    return ended;
  }

  private void end(
      FinishReason reason,
      Optional<String> stop,
      String more,
      int tokens,
      List<TokenLogprob> logprobs) {
    if (ended) {
      return;
    }
    ended = true;
    var cancelled = reason == FinishReason.CANCELLED;
    var rest = text.stop().isPresent() ? more : more + text.finish(!cancelled && stopsCount());
    if (tokens > 0 || !rest.isEmpty()) {
      events.send(new GenerationEvent.Delta(rest, tokens, logprobs));
    }
    // Bytes that never became a character may still complete a stop string at the very end.
    var stopped = !cancelled && text.stop().isPresent();
    events.send(
        new GenerationEvent.Finished(
            stopped ? FinishReason.STOP : reason,
            stopped ? text.stop() : stop,
            new Usage(promptLength, cachedTokens, answerLength()),
            phases.timings()));
  }

  private boolean stopsCount() {
    return answerLength() > request.stop().minTokens();
  }

  private int answerLength() {
    return length - promptLength;
  }

  private void append(int token) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, length + Math.max(64, length / 2));
    }
    var at = length;
    tokens[at] = token;
    length = at + 1;
  }

  private List<TokenLogprob> logprobs(SampledToken sampled) {
    return sampled.likelihoods().stream()
        .map(
            likelihoods -> {
              var top = new TokenLogprob.Candidate[likelihoods.topIds().length];
              for (var i = 0; i < top.length; i++) {
                top[i] = candidate(likelihoods.topIds()[i], likelihoods.topLogprobs()[i]);
              }
              return new TokenLogprob(candidate(sampled.id(), likelihoods.chosen()), List.of(top));
            })
        .toList();
  }

  private TokenLogprob.Candidate candidate(int id, float logprob) {
    return new TokenLogprob.Candidate(id, tokenizer.tokenBytes(id), logprob);
  }

  private String written(int id) {
    return new String(tokenizer.tokenBytes(id), StandardCharsets.UTF_8);
  }
}
