package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.TemplateException.Kind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A compiled template. Immutable: any number of threads may render it at once. */
public final class Template {
  private final Environment environment;
  private final List<Statement> body;
  private final Scope scope;
  private final Map<String, Statement.Block> blocks;

  private Template(Environment environment, List<Statement> body) {
    this.environment = environment;
    this.body = body;
    this.scope = ScopeAnalyzer.analyze(body);
    this.blocks = Blocks.in(body);
  }

  /** Compiles with {@link Environment#standard()}. */
  public static Template parse(String source) {
    return parse(source, Environment.standard());
  }

  /**
   * @throws TemplateException of kind SYNTAX, with its line
   */
  public static Template parse(String source, Environment environment) {
    try {
      var body = Parser.parse(source);
      TemplateChecker.check(body, environment);
      return new Template(environment, body);
    } catch (StackOverflowError e) {
      throw TemplateException.syntax("the template is nested too deeply", 0);
    }
  }

  /**
   * Renders with the variables of {@code context}: null, Boolean, Java's numbers, String, List,
   * Map, or a {@link TemplateFunction}, nested at will.
   *
   * @throws TemplateException for what Python raises, and when a limit is reached
   * @throws IllegalArgumentException if the context holds any other type
   */
  public String render(Map<String, ?> context) {
    var variables = HashMap.<String, Object>newHashMap(context.size());
    var evaluation = new Evaluation(environment);
    try {
      context.forEach((name, value) -> variables.put(name, PyValues.fromJava(value)));
      var frames = new Frame.Context(variables, environment.globals());
      return new Renderer(evaluation, frames, blocks).render(body, scope);
    } catch (TemplateException e) {
      throw e.at(evaluation.line());
    } catch (StackOverflowError e) {
      throw new TemplateException(
          Kind.RECURSION, "maximum recursion depth exceeded", evaluation.line());
    }
  }
}
