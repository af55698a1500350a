package dev.vllmmlx.text.jinja;

import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Finds which of some special names statements read without having set them before. */
final class FreeNames {
  private final Set<String> wanted;
  private final Set<String> found = new HashSet<>();

  private FreeNames(Collection<String> wanted) {
    this.wanted = new HashSet<>(wanted);
  }

  static Set<String> of(List<Statement> statements, Collection<String> names) {
    var finder = new FreeNames(names);
    finder.statements(statements);
    return finder.found;
  }

  private void statements(List<Statement> statements) {
    statements.forEach(this::statement);
  }

  private void statement(Statement statement) {
    switch (statement) {
      case Statement.Text _, Statement.Break _, Statement.Continue _, Statement.Block _ -> {}
      case Statement.Output s -> read(s.expression());
      case Statement.If s -> {
        read(s.test());
        statements(s.then());
        for (var elif : s.elifs()) {
          read(elif.test());
          statements(elif.body());
        }
        statements(s.otherwise());
      }
      case Statement.For s -> {
        assign(s.target());
        read(s.iterable());
        statements(s.body());
        statements(s.otherwise());
        read(s.test());
      }
      case Statement.Set s -> {
        assign(s.target());
        read(s.value());
      }
      case Statement.SetBlock s -> {
        assign(s.target());
        read(s.filter());
        statements(s.body());
      }
      case Statement.With s -> {
        s.targets().forEach(this::assign);
        s.values().forEach(this::read);
        statements(s.body());
      }
      case Statement.FilterBlock s -> {
        statements(s.body());
        read(s.filter());
      }
      case Statement.Autoescape s -> {
        read(s.enabled());
        statements(s.body());
      }
      case Statement.Macro s -> macro(s.body());
      case Statement.CallBlock s -> {
        read(s.call());
        macro(s.body());
      }
      case Statement.Generation s -> macro(s.body());
      case Statement.Load s -> read(s.template());
    }
  }

  private void macro(Statement.MacroBody body) {
    wanted.removeAll(body.parameters());
    body.defaults().forEach(this::read);
    statements(body.body());
  }

  private void assign(Expression target) {
    switch (target) {
      case Expression.Name name -> wanted.remove(name.name());
      case Expression.TupleOf tuple -> tuple.items().forEach(this::assign);
      default -> {}
    }
  }

  private void read(Expression expression) {
    if (expression != null) {
      NameReads.of(
          expression,
          name -> {
            if (wanted.contains(name)) {
              found.add(name);
            }
          });
    }
  }
}
