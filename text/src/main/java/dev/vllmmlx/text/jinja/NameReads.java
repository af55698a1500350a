package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Expression.CallArguments;
import java.util.function.Consumer;

/** Visits every name that an expression reads, and every expression inside one. */
final class NameReads {
  private NameReads() {}

  /** Calls {@code visitor} with each name read, in the order of the text. Null is no expression. */
  static void of(Expression expression, Consumer<String> visitor) {
    if (expression instanceof Expression.Name name) {
      visitor.accept(name.name());
    } else if (expression instanceof Expression.NamespaceTarget target) {
      visitor.accept(target.name());
    } else {
      children(expression, child -> of(child, visitor));
    }
  }

  /** Calls {@code visitor} with each expression directly inside {@code expression}. */
  static void children(Expression expression, Consumer<Expression> visitor) {
    switch (expression) {
      case null -> {}
      case Expression.Constant _, Expression.Name _, Expression.NamespaceTarget _ -> {}
      case Expression.TupleOf e -> e.items().forEach(visitor);
      case Expression.ListOf e -> e.items().forEach(visitor);
      case Expression.DictOf e -> {
        for (int i = 0; i < e.keys().size(); i++) {
          visitor.accept(e.keys().get(i));
          visitor.accept(e.values().get(i));
        }
      }
      case Expression.Conditional e -> all(visitor, e.test(), e.then(), e.otherwise());
      case Expression.Or e -> all(visitor, e.left(), e.right());
      case Expression.And e -> all(visitor, e.left(), e.right());
      case Expression.Not e -> visitor.accept(e.operand());
      case Expression.Negative e -> visitor.accept(e.operand());
      case Expression.Positive e -> visitor.accept(e.operand());
      case Expression.Binary e -> all(visitor, e.left(), e.right());
      case Expression.Concat e -> e.parts().forEach(visitor);
      case Expression.Compare e -> {
        visitor.accept(e.first());
        e.operands().forEach(operand -> visitor.accept(operand.expression()));
      }
      case Expression.Attribute e -> visitor.accept(e.object());
      case Expression.Item e -> all(visitor, e.object(), e.key());
      case Expression.Slice e -> all(visitor, e.start(), e.stop(), e.step());
      case Expression.Call e -> {
        visitor.accept(e.callee());
        arguments(e.arguments(), visitor);
      }
      case Expression.Filter e -> {
        all(visitor, e.operand());
        arguments(e.arguments(), visitor);
      }
      case Expression.Test e -> {
        visitor.accept(e.operand());
        arguments(e.arguments(), visitor);
      }
    }
  }

  private static void arguments(CallArguments arguments, Consumer<Expression> visitor) {
    arguments.positional().forEach(visitor);
    arguments.keywords().forEach(keyword -> visitor.accept(keyword.value()));
    all(visitor, arguments.spread(), arguments.spreadKeywords());
  }

  private static void all(Consumer<Expression> visitor, Expression... expressions) {
    for (var expression : expressions) {
      if (expression != null) {
        visitor.accept(expression);
      }
    }
  }
}
