package dev.vllmmlx.mlx.sequence;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** However a text is cut, matching it in pieces is searching it whole. */
class StopStringsProperties {

  @Property(tries = 5_000)
  void findsInPiecesWhatASearchOfTheWholeFinds(
      @ForAll("pieces") List<String> pieces,
      @ForAll("strings") List<String> stops,
      @ForAll @IntRange(max = 4) int notCounting) {
    var matcher = new StopStrings(stops).matcher();
    var out = new StringBuilder();
    for (var i = 0; i < pieces.size(); i++) {
      out.append(matcher.feed(pieces.get(i), i >= notCounting));
    }
    out.append(matcher.release());

    var whole = String.join("", pieces);
    var countsFrom = String.join("", pieces.subList(0, Math.min(notCounting, pieces.size())));
    var expected = search(whole, stops, countsFrom.length());
    assertThat(matcher.found()).isEqualTo(expected.map(End::stop));
    assertThat(out.toString())
        .isEqualTo(expected.map(end -> whole.substring(0, end.start())).orElse(whole));
  }

  @Property(tries = 2_000)
  void holdsBackNothingThatCannotBecomeAStopString(
      @ForAll("pieces") List<String> pieces, @ForAll("strings") List<String> stops) {
    var matcher = new StopStrings(stops).matcher();
    var text = new StringBuilder();
    var out = new StringBuilder();
    for (var piece : pieces) {
      text.append(piece);
      out.append(matcher.feed(piece, true));
      if (matcher.found().isPresent()) {
        return;
      }
      var held = text.substring(out.length());
      assertThat(text).startsWith(out);
      assertThat(held)
          .satisfiesAnyOf(
              h -> assertThat(h).isEmpty(),
              h -> assertThat(stops).anyMatch(stop -> stop.startsWith(h)));
    }
  }

  @Provide
  Arbitrary<List<String>> pieces() {
    return text(0, 6).list().ofMaxSize(12);
  }

  @Provide
  Arbitrary<List<String>> strings() {
    return text(1, 5).list().ofMaxSize(4);
  }

  /** Of few characters, so that strings overlap; one of them takes two units. */
  private static Arbitrary<String> text(int least, int most) {
    return Arbitraries.of("a", "b", "c", "😀", "😁")
        .list()
        .ofMinSize(least)
        .ofMaxSize(most)
        .map(characters -> String.join("", characters));
  }

  private record End(int start, int end, String stop) {}

  private static Optional<End> search(String text, List<String> stops, int countsFrom) {
    var ends = new ArrayList<End>();
    for (var stop : stops) {
      for (var at = text.indexOf(stop); at >= 0; at = text.indexOf(stop, at + 1)) {
        var end = at + stop.length();
        if (end > countsFrom) {
          ends.add(new End(at, end, stop));
        }
      }
    }
    return ends.stream().min(Comparator.comparing(End::end).thenComparing(End::start));
  }
}
