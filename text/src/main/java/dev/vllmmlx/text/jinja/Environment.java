package dev.vllmmlx.text.jinja;

import java.util.HashMap;
import java.util.Map;

/** What templates find besides their variables: filters, tests, globals, limits. Immutable. */
public final class Environment {
  private final Map<String, TemplateFunction> filters;
  private final Map<String, TemplateFunction> tests;
  private final Map<String, Object> globals;
  private final TemplateLimits limits;

  private Environment(
      Map<String, TemplateFunction> filters,
      Map<String, TemplateFunction> tests,
      Map<String, Object> globals,
      TemplateLimits limits) {
    this.filters = filters;
    this.tests = tests;
    this.globals = globals;
    this.limits = limits;
  }

  /** Jinja2's own filters, tests and globals. */
  public static Environment standard() {
    var filters = new HashMap<String, TemplateFunction>();
    TextFilters.addTo(filters);
    SequenceFilters.addTo(filters);
    LookupFilters.addTo(filters);
    NumberFilters.addTo(filters);
    HtmlFilters.addTo(filters);
    return new Environment(
        Map.copyOf(filters), Tests.all(), Globals.all(), TemplateLimits.standard());
  }

  /** With one filter more, or in place of that of its name. Its operand is its first argument. */
  public Environment withFilter(String name, TemplateFunction filter) {
    var changed = new HashMap<>(filters);
    changed.put(name, filter);
    return new Environment(Map.copyOf(changed), tests, globals, limits);
  }

  /** With one global more: a value as {@link Template#render} takes it, or a function. */
  public Environment withGlobal(String name, Object value) {
    var changed = new HashMap<>(globals);
    changed.put(name, PyValues.fromJava(value));
    return new Environment(filters, tests, java.util.Collections.unmodifiableMap(changed), limits);
  }

  public Environment withLimits(TemplateLimits newLimits) {
    return new Environment(filters, tests, globals, newLimits);
  }

  TemplateFunction filter(String name) {
    return filters.get(name);
  }

  TemplateFunction test(String name) {
    return tests.get(name);
  }

  Map<String, Object> globals() {
    return globals;
  }

  TemplateLimits limits() {
    return limits;
  }
}
