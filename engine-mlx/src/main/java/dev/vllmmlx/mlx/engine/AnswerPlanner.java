package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.sequence.AnswerConstraint;
import dev.vllmmlx.mlx.sequence.AnswerRules;
import dev.vllmmlx.mlx.sequence.ThinkingBudget;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.grammar.ConstraintCompiler;
import dev.vllmmlx.text.grammar.ConstraintException;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * From a request to the rules of its answer, for one model. For any threads. What compiles
 * constraints takes a moment to set up, so it is made for the first request that has one.
 */
final class AnswerPlanner implements AutoCloseable {
  /** How long it may look for the tool that is at fault. */
  private static final Duration NAMING = Duration.ofMillis(500);

  private final Tokenizer tokenizer;
  private final AnswerFormat format;
  private ConstraintCompiler compiler;
  private boolean closed;

  AnswerPlanner(Tokenizer tokenizer, AnswerFormat format) {
    this.tokenizer = tokenizer;
    this.format = format;
  }

  /**
   * @param thinking whether the prompt's end has opened the model's thinking
   * @throws EngineException.InvalidRequest when the constraint cannot be kept
   */
  AnswerRules rules(GenerationRequest request, boolean thinking) {
    if (!(request.prompt() instanceof Prompt.Chat chat)) {
      var constraint = constraint(request, request.constraint());
      return new AnswerRules(Set.of(), false, constraint, Optional.empty());
    }
    Optional<AnswerConstraint> constraint;
    try {
      constraint =
          constraint(request, format.constraint(request.constraint(), chat.tools(), thinking));
    } catch (EngineException.InvalidRequest refusal) {
      throw ofTool(refusal, chat.tools(), thinking);
    }
    return new AnswerRules(
        written(chat.tools()), thinking, constraint, budget(request.thinkingTokens(), thinking));
  }

  /** The same, said of the tool whose parameters are refused when they are alone, if one is. */
  private EngineException ofTool(
      EngineException.InvalidRequest refusal, List<Tool> tools, boolean thinking) {
    var anyCall = new Constraint.ToolCalls(true, Optional.empty(), false);
    var start = System.nanoTime();
    for (var i = 0; i < tools.size() && System.nanoTime() - start < NAMING.toNanos(); i++) {
      var tool = tools.get(i);
      try {
        compiler().compile(format.constraint(anyCall, List.of(tool), thinking)).close();
      } catch (ConstraintException.Busy e) {
        return refusal;
      } catch (ConstraintException | EngineException.InvalidRequest e) {
        var why = e.getMessage();
        var named = "parameters of %s: ".formatted(tool.name());
        return new EngineException.InvalidRequest(
            "tools[%d].function.parameters".formatted(i),
            why.startsWith(named) ? why : named + why);
      }
    }
    return refusal;
  }

  /** Marks that a reader of the answer must see. */
  private Set<Integer> written(List<Tool> tools) {
    var ids = new HashSet<Integer>();
    for (var mark : format.marks(!tools.isEmpty())) {
      tokenizer.idOf(mark).ifPresent(ids::add);
    }
    return ids;
  }

  private Optional<ThinkingBudget> budget(OptionalInt tokens, boolean thinking) {
    if (tokens.isEmpty() || format.reasoning().isEmpty()) {
      return Optional.empty();
    }
    var reasoning = format.reasoning().get();
    return Optional.of(
        new ThinkingBudget(
            tokens.getAsInt(), reasoning.opening(), reasoning.closing(), tokenizer, thinking));
  }

  private Optional<AnswerConstraint> constraint(GenerationRequest request, Constraint wanted) {
    if (wanted instanceof Constraint.None) {
      return Optional.empty();
    }
    try {
      var noEnds =
          request.stop().ignoreEos()
              ? tokenizer.endOfGenerationIds().stream().mapToInt(Integer::intValue).toArray()
              : new int[0];
      return Optional.of(new AnswerConstraint(compiler().compile(wanted), noEnds));
    } catch (ConstraintException e) {
      throw refusal(e);
    }
  }

  /** Whether it is the constraint's fault or the hour's. */
  static EngineException refusal(ConstraintException exception) {
    return exception instanceof ConstraintException.Busy
        ? new EngineException.Overloaded(exception.getMessage(), Duration.ofSeconds(1))
        : new EngineException.InvalidRequest("constraint", exception.getMessage());
  }

  private synchronized ConstraintCompiler compiler() {
    if (closed) {
      throw new EngineException.Unavailable("the engine is closed");
    }
    if (compiler == null) {
      compiler = ConstraintCompiler.of(tokenizer);
    }
    return compiler;
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (compiler != null) {
      compiler.close();
    }
  }
}
