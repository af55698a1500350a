package dev.vllmmlx.mcp.tool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.mcp.config.NamePattern;
import dev.vllmmlx.mcp.config.Policy;
import dev.vllmmlx.mcp.connection.ToolReply;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What is cut, hidden and counted. */
final class LimitsTest {

  @Test
  void cutsALongResultWithANote() {
    var result =
        new ResultLimit(5).of(new ToolReply("123456789", Optional.of(Map.of("a", "12345")), false));
    assertThat(result.text()).isEqualTo("12345\n[cut: the first 5 of 9 characters]");
    assertThat(result.truncated()).isTrue();
    assertThat(result.structured()).isEmpty();
  }

  @Test
  void cutsNoCharacterInHalf() {
    var result = new ResultLimit(3).of(new ToolReply("ab\uD83D\uDE00cd", Optional.empty(), true));
    assertThat(result.text()).startsWith("ab\n[cut: ");
    assertThat(result.isError()).isTrue();
  }

  @Test
  void leavesAShortResultAlone() {
    var reply = new ToolReply("12345", Optional.of(List.of(1)), false);
    assertThat(new ResultLimit(5).of(reply))
        .isEqualTo(new ToolOutcome.Result("12345", Optional.of(List.of(1)), false, false));
  }

  @Test
  void hidesSecretsAtAnyDepth() {
    var redaction = new Redaction(Policy.USUAL.redacted());
    assertThat(
            redaction.of(
                "{\"city\": \"Rome\", \"API_KEY\": \"k1\", \"in\": [{\"Authorization\": {\"x\": \"k2\"}}]}"))
        .isEqualTo("{\"city\":\"Rome\",\"API_KEY\":\"***\",\"in\":[{\"Authorization\":\"***\"}]}");
    assertThat(new Redaction(List.of(new NamePattern("c?ty"))).of("{\"city\": 1}"))
        .isEqualTo("{\"city\":\"***\"}");
  }

  @Test
  void showsNothingOfWhatItCannotRead() {
    var redaction = new Redaction(Policy.USUAL.redacted());
    assertThat(redaction.of("{\"password\": \"k"))
        .isEqualTo("(15 characters that are no JSON object)");
    assertThat(redaction.of("\"k\"")).isEqualTo("(3 characters that are no JSON object)");
  }

  @Test
  void writesOneShortLine() {
    var redaction = new Redaction(List.of());
    assertThat(redaction.of("{\"a\": \"1\\n2\"}")).doesNotContain("\n");
    assertThat(redaction.of("{\"a\": \"%s\"}".formatted("x".repeat(9000)))).hasSizeLessThan(300);
  }

  @Test
  void allowsSoManyCallsInAnyMinute() {
    var now = new AtomicLong();
    var rate = new RateLimit(OptionalInt.of(2), now::get);
    assertThat(rate.tryCall()).isTrue();
    now.addAndGet(Duration.ofSeconds(40).toNanos());
    assertThat(rate.tryCall()).isTrue();
    assertThat(rate.tryCall()).isFalse();
    now.addAndGet(Duration.ofSeconds(20).toNanos());
    assertThat(rate.tryCall()).isTrue();
    assertThat(rate.tryCall()).isFalse();
  }
}
