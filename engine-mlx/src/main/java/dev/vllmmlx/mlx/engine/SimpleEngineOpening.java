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
import dev.vllmmlx.mlx.load.ModelLoader;
import dev.vllmmlx.mlx.model.ModelConfig;
import dev.vllmmlx.mlx.model.ModelFormatException;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.text.chat.ChatPromptRenderer;
import dev.vllmmlx.text.jinja.TemplateException;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import dev.vllmmlx.text.tokenizer.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/** Opens a simple engine: finds the files, reads tokenizer and template, loads the model. */
final class SimpleEngineOpening {
  private final EngineOptions options;
  private final EngineContext context;

  SimpleEngineOpening(EngineOptions options, EngineContext context) {
    this.options = options;
    this.context = context;
  }

  /**
   * @throws EngineException as {@link dev.vllmmlx.spi.EngineProvider#open} says
   */
  Engine open() {
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
    var queue = new FairQueue<Job>();
    var loop = new EngineLoop(queue, options.settings());
    var config = new AtomicReference<ModelConfig>();
    // The tokenizer is read here while the model is loaded there.
    var model =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return loop.start(
                    () -> {
                      var loaded = ModelLoader.standard().load(checkpoint, options.dtype());
                      config.set(loaded.config());
                      return new MlxRunner(loaded);
                    });
              } catch (RuntimeException e) {
                throw e;
              } catch (Exception e) {
                throw new CompletionException(e);
              }
            },
            task -> Thread.ofVirtual().start(task));
    try {
      var tokenizer = tokenizer(checkpoint);
      var template =
          ChatPromptRenderer.of(
              tokenizer.chatTemplates(), tokenizer.specialTokens(), Clock.systemDefaultZone());
      model.join();
      return new SimpleEngine(
          info(checkpoint, config.get(), template),
          tokenizer,
          new PromptEncoder(tokenizer, template.map(Function.identity())),
          queue,
          loop,
          options.settings().maxQueue());
    } catch (CompletionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    } catch (RuntimeException e) {
      model.handle((_, _) -> null).join();
      loop.close();
      throw e;
    }
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
      Checkpoint checkpoint, ModelConfig config, Optional<ChatPromptRenderer> template)
      throws IOException {
    return new ModelInfo(
        context.servedName().orElse(checkpoint.id()),
        Math.min(options.contextLength().orElse(config.maxPositions()), config.maxPositions()),
        config.vocabularySize(),
        Set.of(ModelInfo.Modality.TEXT),
        template
            .map(ChatPromptRenderer::capabilities)
            .orElse(new ModelInfo.TemplateCapabilities(false, false, false)),
        GenerationDefaults.of(checkpoint),
        created(checkpoint));
  }

  private static Instant created(Checkpoint checkpoint) throws IOException {
    return Files.getLastModifiedTime(checkpoint.path()).toInstant();
  }
}
