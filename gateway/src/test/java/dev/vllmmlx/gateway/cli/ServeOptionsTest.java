package dev.vllmmlx.gateway.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ServeOptionsTest {

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "250ms, 250",
    "30, 30000",
    "30s, 30000",
    "1.5s, 1500",
    "5m, 300000",
    "2h, 7200000",
    "0.0001s, 1"
  })
  void readsTimes(String text, long millis) {
    assertThat(new TimeOption().convert(text)).isEqualTo(Duration.ofMillis(millis));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "5 m", "5min", "1e3", "m", "1.s", "99999999999999999999"})
  void refusesWhatIsNoTime(String text) {
    assertThatThrownBy(() -> new TimeOption().convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("such as 250ms, 30s or 5m");
  }

  @ParameterizedTest
  @ValueSource(strings = {"*", "http://ui.example", "https://ui.example:8443", "http://[::1]:3000"})
  void readsOrigins(String text) {
    assertThat(new OriginOption().convert(text)).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ui.example",
        "localhost:3000",
        "http://ui.example/",
        "http://ui.example/chat",
        "https://*.example.org",
        "http://ui.example:port",
        "http://a b"
      })
  void refusesWhatIsNoOrigin(String text) {
    var err = new StringWriter();
    String[] args = {"serve", "--engine", "echo", "--allowed-origin", text};
    assertThat(Main.run(args, new PrintWriter(new StringWriter()), new PrintWriter(err)))
        .isEqualTo(2);
    assertThat(err.toString()).contains("--allowed-origin", "\"" + text + "\" is not an origin");
  }

  @Test
  void namesATimeThatIsNone() {
    for (var option : new String[] {"--timeout", "--token-timeout", "--drain-timeout"}) {
      var err = new StringWriter();
      String[] args = {"serve", "--engine", "echo", option, "soon"};
      assertThat(Main.run(args, new PrintWriter(new StringWriter()), new PrintWriter(err)))
          .isEqualTo(2);
      assertThat(err.toString()).contains(option, "\"soon\" is not a length of time");
    }
  }
}
