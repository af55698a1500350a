package dev.vllmmlx.text.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.vllmmlx.spi.Tool;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;

class ToolCallReaderTest {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final String ARGUMENTS =
      """
      {"city": "Nîmes  \\"}<\\n", "days": 3, "metric": true, "at": [1.5, {"a": null}]}""";
  private static final Tool WEATHER =
      new Tool(
          "get_weather",
          Optional.of("The weather."),
          Optional.of(
              Map.of(
                  "type",
                  "object",
                  "properties",
                  Map.of(
                      "city", Map.of("type", "string"),
                      "days", Map.of("type", "integer"),
                      "metric", Map.of("type", "boolean"),
                      "at", Map.of("type", "array")))),
          false);
  private static final List<Tool> TOOLS = List.of(WEATHER);

  static Stream<ToolCallFormat> formats() {
    return ToolCallFormats.names().stream()
        .map(name -> ToolCallFormats.named(name).orElseThrow())
        .distinct();
  }

  private static Read read(ToolCallFormat format, boolean cut, String... pieces) {
    return Read.of(format.reader(TOOLS), cut, List.of(pieces));
  }

  @ParameterizedTest
  @MethodSource("formats")
  void readsWhatItWrites(ToolCallFormat format) {
    var read = read(format, false, format.written("get_weather", ARGUMENTS));
    assertThat(read.content()).isEmpty();
    assertThat(read.whole()).isTrue();
    assertThat(read.calls()).hasSize(1);
    assertThat(read.calls().getFirst().name()).isEqualTo("get_weather");
    assertThat(JSON.readTree(read.calls().getFirst().arguments()))
        .isEqualTo(JSON.readTree(ARGUMENTS));
  }

  @ParameterizedTest
  @MethodSource("formats")
  void piecesAddUpToTheWholeWhereverItIsCut(ToolCallFormat format) {
    var call = format.written("get_weather", ARGUMENTS);
    for (var text :
        List.of(call, "I will  look.\n\n" + call, call + "\n" + call, "a < b [x] {\"name\" \n ")) {
      var whole = read(format, false, text);
      for (int i = 0; i <= text.length(); i++) {
        assertThat(read(format, false, text.substring(0, i), text.substring(i)))
            .as("%s cut at %d", text, i)
            .isEqualTo(whole);
      }
      var single = new ArrayList<String>();
      text.chars().forEach(c -> single.add(String.valueOf((char) c)));
      assertThat(Read.of(format.reader(TOOLS), false, single)).isEqualTo(whole);
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void anAnswerThatIsCutLeaksNoMarkup(ToolCallFormat format) {
    var call = format.written("get_weather", ARGUMENTS);
    for (int i = 0; i < call.length(); i++) {
      var read = read(format, true, call.substring(0, i));
      if (!read.calls().isEmpty()) {
        assertThat(read.content()).isEmpty();
        assertThat(read.calls()).hasSize(1);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void neitherDoesOneThatIsCutInALaterCall(ToolCallFormat format) {
    var call = format.written("get_weather", ARGUMENTS);
    var both = call + "\n" + call;
    // Its calls are messages, which nothing but a message's start follows.
    assumeThat(format).isNotInstanceOf(HarmonyCalls.class);
    assumeThat(read(format, false, both).calls()).hasSize(2);
    for (int i = call.length(); i < both.length(); i++) {
      var read = read(format, true, both.substring(0, i));
      assertThat(read.content()).as(both.substring(0, i)).isEmpty();
      assertThat(read.calls()).isNotEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void textIsKeptByteForByte(ToolCallFormat format) {
    for (var text :
        List.of("", " \n\n a\t b \n", "<", "[", "{", "{\"name\": \"Bob\"}", "<tool", "``` \n")) {
      assertThat(read(format, false, text)).isEqualTo(new Read(text, List.of(), true));
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void aFunctionThatIsNotDeclaredIsText(ToolCallFormat format) {
    var text = format.written("launch", "{\"at\": 1}");
    assertThat(read(format, false, text).calls()).isEmpty();
    assertThat(read(format, false, text).content()).isNotEmpty();
  }

  @Test
  void whatMayBeginAMarkOfHarmonyIsKeptInArgumentsAndIsNoContentBehindThem() {
    var format = ToolCallFormats.named("harmony").orElseThrow();
    var call = format.written("get_weather", "{\"city\": \"N<");
    var inside = call.substring(0, call.lastIndexOf("<|call|>"));
    assertThat(read(format, true, inside))
        .isEqualTo(new Read("", List.of(new Read.Call("get_weather", "{\"city\": \"N<")), false));

    var whole = format.written("get_weather", "{}");
    var expected = List.of(new Read.Call("get_weather", "{}"));
    for (var rest : List.of("<", "<|", "<|start", "<|start|>", "<|start|>assistant<")) {
      var read = read(format, true, whole + rest);
      assertThat(read.content()).as(rest).isEmpty();
      assertThat(read.calls()).as(rest).isEqualTo(expected);
    }
    var bare = whole.substring(0, whole.lastIndexOf("<|call|>"));
    assertThat(read(format, true, bare + "<").content()).isEmpty();
    // The model's own end: what it wrote is text.
    assertThat(read(format, false, whole + "<").content()).isEqualTo("<");
  }
}
