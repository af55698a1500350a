package dev.vllmmlx.mcp.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.StringLength;

final class NamePatternProperties {

  @Property
  void matchesWhatTheRegularExpressionOfItMatches(
      @ForAll @Chars({'a', 'b', '*', '?'}) @StringLength(max = 8) String pattern,
      @ForAll @CharRange(from = 'a', to = 'b') @StringLength(max = 8) String name) {
    var regex = pattern.replace("*", ".*").replace("?", ".");
    assertThat(new NamePattern(pattern).matches(name)).isEqualTo(Pattern.matches(regex, name));
  }
}
