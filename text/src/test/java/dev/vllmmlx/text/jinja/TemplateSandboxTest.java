package dev.vllmmlx.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.vllmmlx.text.jinja.TemplateException.Kind;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A template reaches nothing but its values, and ends. */
class TemplateSandboxTest {
  private static final TemplateLimits SMALL =
      new TemplateLimits(100_000, 10_000, 100_000, 50, 1_000, 4_096);

  private static Kind failure(String source) {
    return failure(source, SMALL);
  }

  private static Kind failure(String source, TemplateLimits limits) {
    try {
      Template.parse(source, Environment.standard().withLimits(limits)).render(Map.of());
    } catch (TemplateException e) {
      return e.kind();
    }
    return null;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for i in range(900) %}{% for j in range(900) %}{% endfor %}{% endfor %}",
        "{% for i in range(900) %}{{ 'x' * 900 }}{% endfor %}",
        "{{ 'x' * 100001 }}",
        "{{ [1, 2] * 1000000000000 }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ 'x'.zfill(1000000000) }}",
        "{{ 'x'|center(1000000000) }}",
        "{{ 'x\ny'|indent(1000000000) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%.1000000000f' % 1 }}",
        "{{ '{:1000000d}'.format(1) }}",
        "{{ '{:1000000.3f}'.format(1.5) }}",
        "{{ 2 ** 100000 }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ [1]|batch(1000000000, 0)|list }}",
        "{{ [1]|slice(1000000000)|list }}",
        "{{ ('x' * 90000).replace('x', 'yyyyyyyyyy') }}",
        "{{ ('x' * 90000).replace('', 'y') }}",
        "{{ (('x' * 400)|list).__len__ or ('y' * 900).join(('x' * 400)|list) }}",
        "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}"
      })
  void stopsWhatRunsAway(String source) {
    assertThat(failure(source)).isEqualTo(Kind.LIMIT);
  }

  @Test
  void stopsRecursion() {
    assertThat(failure("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"))
        .isEqualTo(Kind.RECURSION);
    assertThat(
            failure(
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                new TemplateLimits(1 << 30, 1 << 30, 1 << 20, 1 << 30, 1_000, 4_096)))
        .isEqualTo(Kind.RECURSION);
    assertThat(failure("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"))
        .isEqualTo(Kind.RECURSION);
    assertThat(failure("{% block b %}{{ self.b() }}{% endblock %}")).isEqualTo(Kind.RECURSION);
    assertThat(failure("{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}"))
        .isEqualTo(Kind.SYNTAX);
    assertThat(failure("{% if 1 %}".repeat(100_000))).isEqualTo(Kind.SYNTAX);
  }

  @Test
  void refusesRangesThatPythonRefuses() {
    assertThat(failure("{{ range(100001) }}", TemplateLimits.standard())).isEqualTo(Kind.OVERFLOW);
    assertThat(failure("{{ range(100000)|length }}", TemplateLimits.standard())).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ ''.__class__.__mro__ }}",
        "{{ ''.__class__() }}",
        "{{ [].append(1) }}",
        "{{ {}.update({}) }}",
        "{{ {}['pop']('x') }}",
        "{{ ([]|attr('clear'))() }}",
        "{{ '{0.__class__.__name__}'.format('x') }}",
        "{{ range.__call__(1) }}"
      })
  void keepsInternalsAndMutatorsAway(String source) {
    assertThat(failure(source)).isEqualTo(Kind.SECURITY);
  }

  @Test
  void neverShowsAJavaObject() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Template.parse("{{ x }}").render(Map.of("x", Path.of("a"))))
        .withMessageContaining("a template cannot hold a");
    assertThat(Template.parse("{{ x.getClass() is defined }}", Environment.standard()))
        .satisfies(
            t ->
                assertThatExceptionOfType(TemplateException.class)
                    .isThrownBy(() -> t.render(Map.of("x", "text")))
                    .withMessage("'str object' has no attribute 'getClass'"));
  }

  @Test
  void rendersOnManyThreadsAtOnce() throws Exception {
    var template =
        Template.parse(
            "{% set ns = namespace(n=0) %}{% for i in l %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}");
    Callable<String> render = () -> template.render(Map.of("l", List.of(1, 2, 3, 4)));
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var result : threads.invokeAll(java.util.Collections.nCopies(200, render))) {
        assertThat(result.get()).isEqualTo("10");
      }
    }
  }

  @Test
  void namesTheLineOfAnError() {
    assertThatExceptionOfType(TemplateException.class)
        .isThrownBy(() -> Template.parse("a\n{% if x %}\n{{ y }}\n{% endfor %}"))
        .satisfies(e -> assertThat(e.line()).isEqualTo(4));
    assertThatExceptionOfType(TemplateException.class)
        .isThrownBy(() -> Template.parse("a\r\nb\n\n{{ x.y }}").render(Map.of()))
        .satisfies(e -> assertThat(e.line()).isEqualTo(4));
  }
}
