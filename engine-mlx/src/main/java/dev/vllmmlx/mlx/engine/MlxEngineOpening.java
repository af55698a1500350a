package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.hub.CheckpointSource;
import dev.vllmmlx.hub.HubException;
import dev.vllmmlx.hub.HubSettings;
import dev.vllmmlx.hub.ModelReference;
import dev.vllmmlx.hub.gguf.GgufException;
import dev.vllmmlx.hub.gguf.GgufMetadata;
import dev.vllmmlx.mlx.array.CpuPrimitives;
import dev.vllmmlx.mlx.array.MlxException;
import dev.vllmmlx.mlx.load.LoadedModel;
import dev.vllmmlx.mlx.load.ModelLoader;
import dev.vllmmlx.mlx.model.ModelFormatException;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.chat.ChatPromptRenderer;
import dev.vllmmlx.text.jinja.TemplateException;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import dev.vllmmlx.text.tokenizer.TokenizerException;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Function;

/**
 * Opens an engine: finds the files, reads tokenizer and template, loads the model.
 *
 * @param <M> the model as the runner wants it
 */
public final class MlxEngineOpening<M extends ServedModel> {

  /**
   * Makes a loaded model ready to be computed, on the loop's thread.
   *
   * @param <M> the model as the runner wants it
   */
  @FunctionalInterface
  public interface Preparation<M> {

    /**
     * @param checkpoint where it was loaded from
     * @param loaded belongs to what is returned; where this throws, to the caller
     * @param contextLength tokens that prompt and answer may have together
     */
    M prepare(Checkpoint checkpoint, LoadedModel loaded, int contextLength);
  }

  private final MlxOptions options;
  private final EngineContext context;
  private final Preparation<M> preparation;
  private final JobRunner<M> runner;
  private final int maxRunning;

  /**
   * @param maxRunning requests that the runner computes at the same time
   */
  public MlxEngineOpening(
      MlxOptions options,
      EngineContext context,
      Preparation<M> preparation,
      JobRunner<M> runner,
      int maxRunning) {
    this.options = options;
    this.context = context;
    this.preparation = preparation;
    this.runner = runner;
    this.maxRunning = maxRunning;
  }

  /**
   * @throws EngineException as {@link dev.vllmmlx.spi.EngineProvider#open} says
   */
  public Engine open() {
    try {
      return opened();
    } catch (HubException.InvalidReference | ModelFormatException e) {
      throw new EngineException.InvalidRequest("model", e.getMessage());
    } catch (HubException
        | GgufException
        | TokenizerException
        | TemplateException
        | MlxException e) {
      throw new EngineException.Unavailable(e.getMessage(), e);
    } catch (EngineException e) {
      throw e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EngineException.Unavailable("loading was interrupted", e);
    } catch (Exception e) {
      throw new EngineException.Internal("the model cannot be loaded: " + e.getMessage(), e);
    }
  }

  private Engine opened() throws Exception {
    var checkpoint =
        new CheckpointSource(HubSettings.fromEnvironment(System.getenv()))
            .resolve(reference(), new OpeningProgress(context.progress()));
    CpuPrimitives.enable(options.primitives());
    CpuPrimitives.setThreads(options.threads());
    var loop = new EngineLoop<>(new FairQueue<Job>(), runner);
    var created = Files.getLastModifiedTime(checkpoint.path()).toInstant();
    // The tokenizer is read here while the model is loaded there.
    var model = new FutureTask<>(() -> loop.start(() -> load(checkpoint)));
    Thread.startVirtualThread(model);
    try {
      var tokenizer = tokenizer(checkpoint);
      var template =
          ChatPromptRenderer.of(
                  tokenizer.chatTemplates(), tokenizer.specialTokens(), Clock.systemDefaultZone())
              .map(of -> of.withAnswers(options.answers(of.answers())));
      var format = template.map(ChatPromptRenderer::answers).orElse(AnswerFormat.TEXT);
      var defaults = GenerationDefaults.of(checkpoint);
      return new QueuedEngine(
          info(checkpoint, model.get(), template, defaults, created),
          tokenizer,
          new PromptEncoder(tokenizer, template.map(Function.identity()), format),
          format,
          loop,
          options.maxQueue(),
          maxRunning);
    } catch (ExecutionException e) {
      // It could not be loaded, and the loop has ended.
      throw e.getCause() instanceof Exception cause ? cause : e;
    } catch (Throwable t) {
      end(model, loop);
      throw t;
    }
  }

  private M load(Checkpoint checkpoint) throws Exception {
    var loaded = ModelLoader.standard().load(checkpoint, options.dtype());
    try {
      return preparation.prepare(
          checkpoint,
          options.kvBits().isPresent() ? loaded.withKvBits(options.kvBits().getAsInt()) : loaded,
          options.contextLength(loaded.config().maxPositions()));
    } catch (Throwable t) {
      loaded.close();
      throw t;
    }
  }

  /** Waits for the model, and frees it. */
  private static void end(FutureTask<?> model, EngineLoop<?> loop) throws InterruptedException {
    try {
      model.get();
    } catch (ExecutionException e) {
      return; // the loop has ended
    }
    loop.close();
  }

  private ModelReference reference() {
    var reference =
        context.model().map(ModelReference::parse).orElseGet(ModelReference.EmbeddedDefault::new);
    if (options.revision().isEmpty()) {
      return reference;
    }
    if (reference instanceof ModelReference.HubModel hub) {
      return hub.withRevision(options.revision().get());
    }
    throw new EngineException.InvalidRequest(
        "revision", "--revision is for models of the hub, and this one is not");
  }

  private static Tokenizer tokenizer(Checkpoint checkpoint) {
    return switch (checkpoint) {
      case Checkpoint.Folder(var _, var path) -> Tokenizer.fromFolder(path);
      case Checkpoint.Gguf(var _, var path) -> Tokenizer.fromGguf(GgufMetadata.read(path));
    };
  }

  private ModelInfo info(
      Checkpoint checkpoint,
      M model,
      Optional<ChatPromptRenderer> template,
      Sampling defaults,
      Instant created) {
    return new ModelInfo(
        context.servedName().orElse(checkpoint.id()),
        model.contextLength(),
        model.vocabularySize(),
        Set.of(ModelInfo.Modality.TEXT),
        template
            .map(ChatPromptRenderer::capabilities)
            .orElse(new ModelInfo.TemplateCapabilities(false, false, false)),
        defaults,
        created);
  }
}
