package dev.vllmmlx.text.jinja;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What Jinja refuses at compile time although it parses: filters and tests that do not exist
 * (inside {@code if} that is an error only where reached), {@code break} outside a loop, blocks of
 * one name.
 */
final class TemplateChecker {
  private final Environment environment;
  private final Set<String> blocks = new HashSet<>();

  private TemplateChecker(Environment environment) {
    this.environment = environment;
  }

  static void check(List<Statement> template, Environment environment) {
    new TemplateChecker(environment).body(template, new Place(false, false, true, false));
  }

  /**
   * Where a statement stands.
   *
   * @param soft directly inside an {@code if}
   * @param inLoop where {@code break} has a loop to leave
   * @param top not inside a frame of its own
   * @param noLoopTarget inside a {@code for}, where {@code loop} cannot be set
   */
  private record Place(boolean soft, boolean inLoop, boolean top, boolean noLoopTarget) {
    Place condition() {
      return new Place(true, inLoop, top, noLoopTarget);
    }

    Place frame() {
      return new Place(false, inLoop, false, noLoopTarget);
    }

    Place loop() {
      return new Place(false, true, false, true);
    }

    Place function() {
      return new Place(false, false, false, noLoopTarget);
    }
  }

  private void body(List<Statement> statements, Place place) {
    statements.forEach(statement -> statement(statement, place));
  }

  private void statement(Statement statement, Place place) {
    switch (statement) {
      case Statement.Text _ -> {}
      case Statement.Output s -> expression(s.expression(), place.soft());
      case Statement.If s -> {
        expression(s.test(), true);
        body(s.then(), place.condition());
        for (var elif : s.elifs()) {
          expression(elif.test(), true);
          body(elif.body(), place.condition());
        }
        body(s.otherwise(), place.condition());
      }
      case Statement.For s -> {
        target(s.target(), place.loop(), s.line());
        expression(s.iterable(), place.soft());
        expression(s.test(), false);
        body(s.body(), place.loop());
        boolean outerLoop = place.inLoop() && !s.recursive();
        body(s.otherwise(), new Place(false, outerLoop, false, true));
      }
      case Statement.Break s -> requireLoop(place, "'break' outside loop", s.line());
      case Statement.Continue s -> requireLoop(place, "'continue' not properly in loop", s.line());
      case Statement.Set s -> {
        target(s.target(), place, s.line());
        expression(s.value(), place.soft());
      }
      case Statement.SetBlock s -> {
        target(s.target(), place, s.line());
        expression(s.filter(), false);
        body(s.body(), place.frame());
      }
      case Statement.With s -> {
        s.values().forEach(value -> expression(value, place.soft()));
        body(s.body(), place.frame());
      }
      case Statement.FilterBlock s -> {
        expression(s.filter(), false);
        body(s.body(), place.frame());
      }
      case Statement.Autoescape s -> {
        expression(s.enabled(), false);
        body(s.body(), place.frame());
      }
      case Statement.Macro s -> macro(s.body(), place);
      case Statement.CallBlock s -> {
        expression(s.call(), place.soft());
        macro(s.body(), place);
      }
      case Statement.Generation s -> macro(s.body(), place);
      case Statement.Block s -> {
        if (!blocks.add(s.name())) {
          throw TemplateException.syntax(
              "block " + PyRepr.repr(s.name()) + " defined twice", s.line());
        }
        body(s.body(), new Place(false, false, false, place.noLoopTarget()));
      }
      case Statement.Load s -> {
        expression(s.template(), place.soft());
        if (s.extend() && !place.top()) {
          throw TemplateException.syntax("cannot use extend from a non top-level scope", s.line());
        }
      }
    }
  }

  private void macro(Statement.MacroBody macro, Place place) {
    macro.defaults().forEach(value -> expression(value, false));
    body(macro.body(), place.function());
  }

  private static void requireLoop(Place place, String message, int line) {
    if (!place.inLoop()) {
      throw TemplateException.syntax(message, line);
    }
  }

  private static void target(Expression target, Place place, int line) {
    if (target instanceof Expression.NamespaceTarget) {
      return;
    }
    NameReads.of(
        target,
        name -> {
          if (place.noLoopTarget() && name.equals("loop")) {
            throw TemplateException.syntax(
                "Can't assign to special loop variable in for-loop target", line);
          }
        });
  }

  private void expression(Expression expression, boolean soft) {
    switch (expression) {
      case null -> {}
      case Expression.Filter filter when !soft && environment.filter(filter.name()) == null ->
          throw TemplateException.syntax(
              "No filter named " + PyRepr.repr(filter.name()) + ".", filter.line());
      case Expression.Test test when !soft && environment.test(test.name()) == null ->
          throw TemplateException.syntax(
              "No test named " + PyRepr.repr(test.name()) + ".", test.line());
      default -> {
        boolean inside = soft || expression instanceof Expression.Conditional;
        NameReads.children(expression, child -> expression(child, inside));
      }
    }
  }
}
