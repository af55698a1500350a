package dev.vllmmlx.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.vllmmlx.spi.Constraint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What explodes is refused in time, says why, and is in nobody's way. */
class HostileConstraintTest {
  private static ConstraintCompiler compiler;

  @BeforeAll
  static void open() {
    // Nothing here may be refused for the time that it takes, however busy the machine is.
    compiler =
        ConstraintCompiler.of(
            Vocabularies.smolLm(), limits(Duration.ofMinutes(1), CompileLimits.DEFAULT.step()));
    compiler.compile(new Constraint.JsonObject()).close();
  }

  @AfterAll
  static void close() {
    compiler.close();
  }

  private static CompileLimits limits(Duration time, Duration step) {
    var limits = CompileLimits.DEFAULT;
    return new CompileLimits(
        time,
        limits.sourceChars(),
        limits.grammarSize(),
        limits.lexerFuel(),
        limits.lexerStates(),
        limits.stepLexerFuel(),
        limits.stepItems(),
        limits.rowItems(),
        step,
        limits.cached());
  }

  private record Hostile(String name, Constraint constraint) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Hostile schema(String name, String schema) {
    return new Hostile(name, new Constraint.JsonSchema(schema, true));
  }

  private static String list(int count, IntFunction<String> each) {
    return IntStream.range(0, count).mapToObj(each).collect(Collectors.joining(","));
  }

  private static String link(int i) {
    return "\"d%d\":{\"items\":{\"$ref\":\"#/$defs/d%d\"}}".formatted(i, (i + 1) % 16_000);
  }

  private static String nested(String open, int depth, String core, String close) {
    return open.repeat(depth) + core + close.repeat(depth);
  }

  static List<Hostile> refused() {
    return List.of(
        schema(
            "a million items",
            "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":1000000}"),
        schema("a million characters", "{\"type\":\"string\",\"minLength\":1000000}"),
        schema("deep anyOf", nested("{\"anyOf\":[", 5000, "{}", "]}")),
        schema("deep items", nested("{\"items\":", 400, "{}", "}")),
        schema("huge enum", "{\"enum\":[" + list(200_000, i -> "\"v" + i + "\"") + "]}"),
        schema("a reference to itself", "{\"$ref\":\"#\"}"),
        schema(
            "references in a circle",
            "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}}}"),
        schema(
            "references that double",
            "{\"$ref\":\"#/$defs/d0\",\"$defs\":{"
                + list(
                    30,
                    i ->
                        "\"d%d\":{\"properties\":{\"l\":{\"type\":\"object\",\"$ref\":\"#/$defs/d%2$d\"},\"r\":{\"type\":\"object\",\"$ref\":\"#/$defs/d%2$d\"}}}"
                            .formatted(i, i + 1))
                + ",\"d30\":{}}}"),
        schema(
            "alternatives that multiply",
            "{\"allOf\":["
                + list(
                    14,
                    i ->
                        "{\"anyOf\":[{\"properties\":{\"a%1$d\":{}}},{\"properties\":{\"b%1$d\":{}}},{\"properties\":{\"c%1$d\":{}}}]}"
                            .formatted(i))
                + "]}"),
        schema(
            "options to compare",
            "{\"oneOf\":[" + list(20_000, i -> "{\"const\":\"v" + i + "\"}") + "]}"),
        schema(
            "patterns to compare",
            "{\"patternProperties\":{"
                + list(1000, i -> "\"^k" + i + "_(a|b)*c{1,20}$\":{}")
                + "}}"),
        schema(
            "patterns for one string",
            "{\"allOf\":["
                + list(30, i -> "{\"type\":\"string\",\"pattern\":\"(a|b).{%d}c\"}".formatted(i))
                + "]}"),
        schema(
            "many properties", "{\"properties\":{" + list(30_000, i -> "\"k" + i + "\":{}") + "}}"),
        schema("remainders", "{\"type\":\"integer\",\"multipleOf\":1000003}"),
        schema("a long constant", "{\"const\":[" + list(100_000, i -> "" + i) + "]}"),
        schema("constant objects", "{\"enum\":[" + list(20_000, i -> "{\"a\":" + i + "}") + "]}"),
        schema("a long chain", "{\"$defs\":{" + list(16_000, HostileConstraintTest::link) + "}}"),
        schema(
            "counts in counts", "{\"type\":\"string\",\"pattern\":\"^(((a{900}){900}){900}b)$\"}"),
        schema("counts in a name", "{\"patternProperties\":{\"^((x{900}){900})$\":{}}}"),
        new Hostile("counting regex", new Constraint.Regex("((a{900}){900}){900}b")),
        new Hostile("deep regex", new Constraint.Regex(nested("(", 100_000, "a", ")"))),
        new Hostile(
            "deep grammar", new Constraint.Grammar("start: " + nested("(", 9999, "\"a\"", ")"))),
        new Hostile("grammar in a circle", new Constraint.Grammar("start: a\na: b\nb: a")));
  }

  @ParameterizedTest
  @MethodSource
  void refused(Hostile hostile) {
    assertThatThrownBy(() -> compiler.compile(hostile.constraint()))
        .isInstanceOf(ConstraintException.class)
        .isNotInstanceOf(ConstraintException.TooSlow.class)
        .hasMessageNotContaining("panic");
  }

  static List<Hostile> heldByLimits() {
    return List.of(
        schema(
            "many items",
            "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":900000}"),
        schema("many characters", "{\"type\":\"string\",\"minLength\":900000}"),
        schema("backtracking", "{\"type\":\"string\",\"pattern\":\"^(x+x+)+y$\"}"),
        schema("deep anyOf that can be read", nested("{\"anyOf\":[", 60, "{}", "]}")),
        new Hostile("backtracking regex", new Constraint.Regex("((a+)+)+b")),
        new Hostile("counting regex", new Constraint.Regex("((a{1,70}){1,70}){1,70}b")),
        new Hostile("long forced text", new Constraint.Regex("(a{600}){700}b")),
        new Hostile("remembering regex", new Constraint.Regex("[ab]*a[ab]{300}")),
        new Hostile("ambiguous grammar", new Constraint.Grammar("start: start start | /[0-9]/")));
  }

  /** These are large in what they describe and not in what it takes. */
  @ParameterizedTest
  @MethodSource
  void heldByLimits(Hostile hostile) {
    try (var matcher = compiler.compile(hostile.constraint())) {
      matcher.mask(new long[1000]);
      matcher.forced();
    }
  }

  @Test
  void goesThroughLongForcedTextPieceByPiece() {
    try (var matcher = compiler.compile(new Constraint.Regex("(a{100}){200}b"))) {
      var length = 0;
      for (var steps = 0; !matcher.isComplete(); steps++) {
        assertThat(steps).isLessThan(1000);
        var forced = matcher.forced();
        length += forced.length;
        if (forced.length == 0) {
          var mask = new long[1000];
          matcher.mask(mask);
          forced = new int[] {BitSet.valueOf(mask).nextSetBit(0)};
        }
        assertThat(matcher.accept(forced)).isEqualTo(forced.length);
      }
      assertThat(length).isBetween(1000, 20_000);
    }
  }

  @Test
  void aStepThatWorksTooLongIsTheLastOfItsMatcherAlone() {
    var grammar =
        new Constraint.Grammar("start: a\na: a a | b\nb: b b | a \"x\" | /[a-z ]/ | /[a-z]{1,3}/");
    var limits = limits(Duration.ofMinutes(1), Duration.ofMillis(2));
    try (var own = ConstraintCompiler.of(Vocabularies.smolLm(), limits);
        var matcher = own.compile(grammar);
        var other = own.compile(grammar)) {
      var bits = new long[1000];
      assertThatThrownBy(
              () -> {
                while (true) {
                  matcher.mask(bits);
                  matcher.accept(BitSet.valueOf(bits).nextSetBit(0));
                }
              })
          .isInstanceOf(ConstraintException.Stuck.class)
          .hasMessageContaining("a step takes more than");
      assertThatThrownBy(() -> matcher.mask(bits)).isInstanceOf(ConstraintException.Stuck.class);
      other.mask(bits);
      assertThat(BitSet.valueOf(bits).isEmpty()).isFalse();
    }
  }

  @Test
  void readsNoFileAndNoNetwork() {
    for (var target :
        List.of("http://localhost:1/s", "file:///etc/hostname", "other.json", "urn:x")) {
      var failure =
          catchThrowable(
              () ->
                  compiler.compile(
                      new Constraint.JsonSchema(
                          "{\"properties\":{\"a\":{\"$ref\":\"" + target + "\"}}}", true)));
      assertThat(failure).isInstanceOf(ConstraintException.Unsupported.class);
      var unsupported = (ConstraintException.Unsupported) failure;
      assertThat(unsupported.keyword()).isEqualTo("$ref");
      assertThat(unsupported.path()).isEqualTo("/properties/a/$ref");
    }
  }

  @Test
  void keepsNobodyElseWaiting() throws Exception {
    try (var users = Executors.newVirtualThreadPerTaskExecutor()) {
      var attacks = new ArrayList<Future<Throwable>>();
      for (var i = 0; i < 2; i++) {
        for (var hostile : refused()) {
          attacks.add(
              users.submit(() -> catchThrowable(() -> compiler.compile(hostile.constraint()))));
        }
      }
      for (var i = 0; i < 20; i++) {
        compiler.compile(new Constraint.Choice(List.of("a" + i, "b"))).close();
      }
      for (var attack : attacks) {
        assertThat(attack.get()).isInstanceOf(ConstraintException.class);
      }
    }
  }

  @Test
  void givesUpOnWhatIsTooSlowAndGoesOn() throws Exception {
    var words =
        new Constraint.Choice(IntStream.range(0, 40_000).mapToObj(i -> "word " + i).toList());
    try (var own =
        ConstraintCompiler.of(
            Vocabularies.small("llama3"),
            limits(Duration.ofMillis(5), CompileLimits.DEFAULT.step()))) {
      assertThatThrownBy(() -> own.compile(words)).isInstanceOf(ConstraintException.TooSlow.class);
      // It goes on, and whoever asks again later finds it.
      for (var i = 0; i < 1000; i++) {
        try {
          own.compile(words).close();
          return;
        } catch (ConstraintException.TooSlow e) {
          Thread.sleep(10);
        }
      }
      throw new AssertionError("it never came to an end");
    }
  }

  @Test
  void compilesManyAtOnceAndTheSameOnce() throws Exception {
    var before = ConstraintCompiler.liveHandles();
    try (var users = Executors.newVirtualThreadPerTaskExecutor()) {
      var requests = new ArrayList<Future<Boolean>>();
      for (var i = 0; i < 400; i++) {
        var schema = Schemas.ALL.get(i % Schemas.ALL.size());
        requests.add(
            users.submit(
                () -> {
                  try (var matcher =
                      compiler.compile(new Constraint.JsonSchema(schema.schema(), true))) {
                    matcher.mask(new long[1000]);
                    return matcher.isComplete();
                  }
                }));
      }
      for (var request : requests) {
        assertThat(request.get()).isFalse();
      }
    }
    assertThat(ConstraintCompiler.liveHandles()).isLessThanOrEqualTo(before + Schemas.ALL.size());
  }
}
