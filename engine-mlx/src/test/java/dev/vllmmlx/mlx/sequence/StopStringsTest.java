package dev.vllmmlx.mlx.sequence;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopStringsTest {

  @Test
  void holdsBackOnlyWhatMayBeTheBeginningOfOne() {
    var matcher = new StopStrings(List.of("STOP")).matcher();
    assertThat(matcher.feed("one S", true)).isEqualTo("one ");
    assertThat(matcher.feed("TO", true)).isEmpty();
    assertThat(matcher.feed("O", true)).isEqualTo("STOO");
    assertThat(matcher.feed(" SS", true)).isEqualTo(" S");
    assertThat(matcher.release()).isEqualTo("S");
    assertThat(matcher.found()).isEmpty();
  }

  @Test
  void endsBeforeOneThatSpansPieces() {
    var matcher = new StopStrings(List.of("\n\n")).matcher();
    assertThat(matcher.feed("a\n", true)).isEqualTo("a");
    assertThat(matcher.feed("\nb", true)).isEmpty();
    assertThat(matcher.found()).contains("\n\n");
    assertThat(matcher.feed("c", true)).isEmpty();
    assertThat(matcher.release()).isEmpty();
  }

  @Test
  void takesTheOneThatIsCompleteFirst() {
    var matcher = new StopStrings(List.of("abcd", "bc")).matcher();
    assertThat(matcher.feed("xabcd", true)).isEqualTo("xa");
    assertThat(matcher.found()).contains("bc");
  }

  @Test
  void takesTheLongestOfThoseThatEndTogether() {
    var matcher = new StopStrings(List.of("b", "ab", "xab")).matcher();
    assertThat(matcher.feed("zab", true)).isEqualTo("z");
    assertThat(matcher.found()).contains("ab");
  }

  @Test
  void goesOnPastOneThatDoesNotCount() {
    var matcher = new StopStrings(List.of("ab")).matcher();
    assertThat(matcher.feed("ab", false)).isEqualTo("ab");
    assertThat(matcher.feed("a", false)).isEmpty();
    // It is complete only now, where it counts.
    assertThat(matcher.feed("bc", true)).isEmpty();
    assertThat(matcher.found()).contains("ab");
  }

  @Test
  void neverCutsInsideACharacter() {
    var matcher = new StopStrings(List.of("😀!", "\uDE01")).matcher();
    assertThat(matcher.feed("😁", true)).isEqualTo("😁");
    assertThat(matcher.feed("😀", true)).isEmpty();
    assertThat(matcher.feed("😀!", true)).isEqualTo("😀");
    assertThat(matcher.found()).contains("😀!");
  }

  @Test
  void holdsNothingBackWithoutAny() {
    var matcher = new StopStrings(List.of()).matcher();
    assertThat(matcher.feed("anything", true)).isEqualTo("anything");
  }
}
