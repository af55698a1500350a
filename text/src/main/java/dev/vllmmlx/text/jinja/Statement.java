package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Expression.Call;
import dev.vllmmlx.text.jinja.Expression.Filter;
import java.util.List;

/** The tree of statements. A {@link Scope} stands where Jinja opens a frame of variables. */
sealed interface Statement {
  int line();

  record Text(String text, int line) implements Statement {}

  record Output(Expression expression, int line) implements Statement {}

  record If(
      Expression test, List<Statement> then, List<Elif> elifs, List<Statement> otherwise, int line)
      implements Statement {}

  record Elif(Expression test, List<Statement> body) {}

  /** {@code test} is null without a filter condition. */
  record For(
      Expression target,
      Expression iterable,
      List<Statement> body,
      List<Statement> otherwise,
      Expression test,
      boolean recursive,
      Scope bodyScope,
      Scope elseScope,
      Scope testScope,
      int line)
      implements Statement {}

  record Break(int line) implements Statement {}

  record Continue(int line) implements Statement {}

  record Set(Expression target, Expression value, int line) implements Statement {}

  /** {@code filter} is null without one. */
  record SetBlock(Expression target, Filter filter, List<Statement> body, Scope scope, int line)
      implements Statement {}

  record With(
      List<Expression> targets,
      List<Expression> values,
      List<Statement> body,
      Scope scope,
      int line)
      implements Statement {}

  record FilterBlock(Filter filter, List<Statement> body, Scope scope, int line)
      implements Statement {}

  record Autoescape(Expression enabled, List<Statement> body, Scope scope, int line)
      implements Statement {}

  record Macro(MacroBody body, int line) implements Statement {}

  record CallBlock(MacroBody body, Call call, int line) implements Statement {}

  /**
   * {@code {% generation %}}: marks the assistant's own words; renders its body as a macro would.
   */
  record Generation(MacroBody body, int line) implements Statement {}

  /**
   * What a macro and the body of a {@code call} block share.
   *
   * @param name null for a {@code call} block
   * @param defaults of the last parameters
   */
  record MacroBody(
      String name,
      List<String> parameters,
      List<Expression> defaults,
      List<Statement> body,
      Scope scope,
      boolean usesCaller,
      boolean usesKwargs,
      boolean usesVarargs) {}

  record Block(String name, List<Statement> body, boolean required, Scope scope, int line)
      implements Statement {}

  /**
   * {@code extends}, {@code include}, {@code import}: there is no loader, so that all of them
   * raise.
   */
  record Load(Expression template, List<String> assigned, boolean extend, int line)
      implements Statement {}
}
