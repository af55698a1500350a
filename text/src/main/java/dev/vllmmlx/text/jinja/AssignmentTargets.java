package dev.vllmmlx.text.jinja;

import java.util.Locale;

/** What a value can be assigned to. */
final class AssignmentTargets {
  private AssignmentTargets() {}

  static void require(Expression target, int line) {
    switch (target) {
      case Expression.Name _, Expression.NamespaceTarget _ -> {}
      case Expression.TupleOf tuple -> {
        for (var item : tuple.items()) {
          if (!isAssignable(item)) {
            throw TemplateException.syntax("can't assign to 'tuple'", line);
          }
        }
      }
      case Expression.Constant _ -> throw TemplateException.syntax("can't assign to 'const'", line);
      case Expression.ListOf _ -> throw TemplateException.syntax("can't assign to 'list'", line);
      case Expression.DictOf _ -> throw TemplateException.syntax("can't assign to 'dict'", line);
      default ->
          throw TemplateException.syntax(
              "can't assign to '"
                  + target.getClass().getSimpleName().toLowerCase(Locale.ROOT)
                  + "'",
              line);
    }
  }

  private static boolean isAssignable(Expression target) {
    return switch (target) {
      case Expression.Name _, Expression.NamespaceTarget _ -> true;
      case Expression.TupleOf tuple ->
          tuple.items().stream().allMatch(AssignmentTargets::isAssignable);
      default -> false;
    };
  }

  /** Refuses names that are constants. */
  static void require(String name, int line) {
    switch (name) {
      case "true", "false", "none", "True", "False", "None" ->
          throw TemplateException.syntax("can't assign to 'name'", line);
      default -> {}
    }
  }
}
