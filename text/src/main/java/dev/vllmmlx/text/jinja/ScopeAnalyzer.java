package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Statement.MacroBody;
import java.util.List;
import java.util.function.Consumer;

/**
 * Fills the {@link Scope}s of a tree, outer ones first. A frame collects the names that its own
 * statements use; statements with a frame of their own show to the outer one only what is evaluated
 * there (a loop's iterable, the values of a {@code with}).
 */
final class ScopeAnalyzer {
  private final Scope scope;
  private int conditions;

  private ScopeAnalyzer(Scope scope) {
    this.scope = scope;
  }

  /** Analyzes a whole template and returns its root scope. */
  static Scope analyze(List<Statement> template) {
    var root = new Scope();
    if (!FreeNames.of(template, List.of("self")).isEmpty()) {
      root.parameter("self");
    }
    finish(root, null, analyzer -> analyzer.statements(template));
    inner(template, root);
    return root;
  }

  private static void finish(Scope scope, Scope parent, Consumer<ScopeAnalyzer> collect) {
    collect.accept(new ScopeAnalyzer(scope));
    scope.finish(parent);
  }

  private void statements(List<Statement> statements) {
    statements.forEach(this::statement);
  }

  private void statement(Statement statement) {
    switch (statement) {
      case Statement.Text _, Statement.Break _, Statement.Continue _ -> {}
      case Statement.Block _, Statement.Autoescape _, Statement.Generation _ -> {}
      case Statement.Output s -> read(s.expression());
      case Statement.If s -> {
        read(s.test());
        conditions++;
        statements(s.then());
        for (var elif : s.elifs()) {
          read(elif.test());
          statements(elif.body());
        }
        statements(s.otherwise());
        conditions--;
      }
      case Statement.For s -> read(s.iterable());
      case Statement.Set s -> {
        read(s.value());
        store(s.target());
      }
      case Statement.SetBlock s -> store(s.target());
      case Statement.With s -> s.values().forEach(this::read);
      case Statement.FilterBlock s -> read(s.filter());
      case Statement.Macro s -> scope.store(s.body().name(), conditions > 0);
      case Statement.CallBlock s -> read(s.call());
      case Statement.Load s -> {
        read(s.template());
        s.assigned().forEach(name -> scope.store(name, conditions > 0));
      }
    }
  }

  private void read(Expression expression) {
    NameReads.of(expression, scope::load);
  }

  private void store(Expression target) {
    switch (target) {
      case Expression.Name name -> scope.store(name.name(), conditions > 0);
      case Expression.TupleOf tuple -> tuple.items().forEach(this::store);
      case Expression.NamespaceTarget namespace -> scope.load(namespace.name());
      default -> throw new IllegalStateException("the parser checks targets");
    }
  }

  private void parameters(Expression target) {
    switch (target) {
      case Expression.Name name -> scope.parameter(name.name());
      case Expression.TupleOf tuple -> tuple.items().forEach(this::parameters);
      default -> throw new IllegalStateException("the parser checks targets");
    }
  }

  /** Analyzes the frames that open inside these statements of the frame {@code outer}. */
  private static void inner(List<Statement> statements, Scope outer) {
    for (var statement : statements) {
      switch (statement) {
        case Statement.If s -> {
          inner(s.then(), outer);
          s.elifs().forEach(elif -> inner(elif.body(), outer));
          inner(s.otherwise(), outer);
        }
        case Statement.For s -> loop(s, outer);
        case Statement.SetBlock s -> body(s.scope(), outer, s.body(), _ -> {});
        case Statement.With s ->
            body(s.scope(), outer, s.body(), a -> s.targets().forEach(a::parameters));
        case Statement.FilterBlock s -> body(s.scope(), outer, s.body(), a -> a.read(s.filter()));
        case Statement.Autoescape s -> body(s.scope(), outer, s.body(), a -> a.read(s.enabled()));
        case Statement.Macro s -> macro(s.body(), outer);
        case Statement.CallBlock s -> macro(s.body(), outer);
        case Statement.Generation s -> macro(s.body(), outer);
        case Statement.Block s -> {
          var special = FreeNames.of(s.body(), List.of("self", "super"));
          body(s.scope(), null, s.body(), a -> special.forEach(a.scope::parameter));
        }
        default -> {}
      }
    }
  }

  private static void body(
      Scope scope, Scope outer, List<Statement> body, Consumer<ScopeAnalyzer> first) {
    finish(
        scope,
        outer,
        analyzer -> {
          first.accept(analyzer);
          analyzer.statements(body);
        });
    inner(body, scope);
  }

  private static void loop(Statement.For loop, Scope outer) {
    body(
        loop.bodyScope(),
        outer,
        loop.body(),
        analyzer -> {
          analyzer.scope.parameter("loop");
          analyzer.parameters(loop.target());
        });
    body(loop.elseScope(), outer, loop.otherwise(), _ -> {});
    finish(
        loop.testScope(),
        outer,
        analyzer -> {
          analyzer.parameters(loop.target());
          analyzer.read(loop.test());
        });
  }

  private static void macro(MacroBody macro, Scope outer) {
    body(
        macro.scope(),
        outer,
        macro.body(),
        analyzer -> {
          macro.parameters().forEach(analyzer.scope::parameter);
          macro.defaults().forEach(analyzer::read);
          special(macro.usesCaller(), "caller", analyzer.scope);
          special(macro.usesKwargs(), "kwargs", analyzer.scope);
          special(macro.usesVarargs(), "varargs", analyzer.scope);
        });
  }

  private static void special(boolean used, String name, Scope scope) {
    if (used) {
      scope.parameter(name);
    }
  }
}
