package dev.vllmmlx.text.grammar;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegexSizeTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "((a{900}){900}){900}b",
        "(a{1,1000}){1000,}",
        "(?:(?:[^]x]{2,1000} ?){700}|b)+",
        "(\\p{L}{1000}){1000}",
        "a{999999999999999999}",
        "(((((((a{99}){99}){99}){99}){99}){99}){99}){99}",
        "(\\({1000}){1000}"
      })
  void refusesWhatIsLongerThanAnyAnswer(String regex) {
    assertThatThrownBy(() -> RegexSize.check(regex))
        .isInstanceOf(ConstraintException.TooLarge.class)
        .hasMessageContaining("places");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "(",
        ")){3}",
        "[",
        "\\",
        "\\p{",
        "a{",
        "a{x}",
        "(a{100}){100}(b{100}){100}",
        "[(a{900})]{900}",
        "\\(a{900}\\){900}",
        "(a*)*{}{,5}"
      })
  void letsOthersPassWhetherTheyAreValidOrNot(String regex) {
    assertThatCode(() -> RegexSize.check(regex)).doesNotThrowAnyException();
  }
}
