package dev.vllmmlx.bench;

import dev.vllmmlx.hub.CheckpointSource;
import dev.vllmmlx.hub.HubSettings;
import dev.vllmmlx.hub.ModelReference;
import dev.vllmmlx.hub.Progress;
import dev.vllmmlx.hub.gguf.GgufMetadata;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.text.chat.ChatPromptRenderer;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** From a conversation to ids and back, with the default model's template and vocabulary. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class TextBenchmark {

  /** Messages of the conversation, of some 70 tokens each. */
  @Param({"2", "32"})
  public int messages;

  private ChatPromptRenderer renderer;
  private Tokenizer tokenizer;
  private Prompt.Chat chat;
  private String text;
  private int[] ids;

  @Setup
  public void make() throws IOException {
    var source = new CheckpointSource(HubSettings.fromEnvironment(System.getenv()));
    var gguf = source.resolve(new ModelReference.EmbeddedDefault(), Progress.NONE).path();
    tokenizer = Tokenizer.fromGguf(GgufMetadata.read(gguf));
    renderer =
        ChatPromptRenderer.of(
                tokenizer.chatTemplates(), tokenizer.specialTokens(), Clock.systemUTC())
            .orElseThrow();
    var conversation = new ArrayList<Message>();
    for (var i = 0; i < messages; i++) {
      conversation.add(
          Message.of(i % 2 == 0 ? "user" : "assistant", "The lamp is lit. ".repeat(12)));
    }
    chat = new Prompt.Chat(conversation, List.of(), Map.of(), false);
    text = renderer.render(chat);
    ids = tokenizer.encode(text, false);
  }

  @Benchmark
  public String render() {
    return renderer.render(chat);
  }

  @Benchmark
  public int[] tokenize() {
    return tokenizer.encode(text, false);
  }

  /** Token by token, as an answer streams. */
  @Benchmark
  public void detokenize(Blackhole pieces) {
    var detokenizer = tokenizer.detokenizer(true);
    for (var id : ids) {
      pieces.consume(detokenizer.feed(id));
    }
    pieces.consume(detokenizer.finish());
  }
}
