package dev.vllmmlx.text.jinja;

import java.util.List;

/** The tree of expressions. Lines count from 1. */
sealed interface Expression {
  record Constant(Object value) implements Expression {}

  record Name(String name) implements Expression {}

  /** {@code namespace.attribute} as the target of a {@code set}. */
  record NamespaceTarget(String name, String attribute) implements Expression {}

  record TupleOf(List<Expression> items) implements Expression {}

  record ListOf(List<Expression> items) implements Expression {}

  record DictOf(List<Expression> keys, List<Expression> values) implements Expression {}

  record Conditional(Expression test, Expression then, Expression otherwise, int line)
      implements Expression {}

  record Or(Expression left, Expression right) implements Expression {}

  record And(Expression left, Expression right) implements Expression {}

  record Not(Expression operand) implements Expression {}

  record Negative(Expression operand) implements Expression {}

  record Positive(Expression operand) implements Expression {}

  record Binary(TokenType operator, Expression left, Expression right) implements Expression {}

  record Concat(List<Expression> parts) implements Expression {}

  record Compare(Expression first, List<Operand> operands) implements Expression {}

  record Operand(Comparison comparison, Expression expression) {}

  enum Comparison {
    EQ,
    NE,
    LT,
    LTEQ,
    GT,
    GTEQ,
    IN,
    NOT_IN
  }

  record Attribute(Expression object, String name) implements Expression {}

  record Item(Expression object, Expression key) implements Expression {}

  /** Bounds are null where left out. */
  record Slice(Expression start, Expression stop, Expression step) implements Expression {}

  record Call(Expression callee, CallArguments arguments, int line) implements Expression {}

  /** {@code operand} is null for the filter of a block. */
  record Filter(Expression operand, String name, CallArguments arguments, int line)
      implements Expression {}

  record Test(Expression operand, String name, CallArguments arguments, int line)
      implements Expression {}

  /** {@code *spread} and {@code **named} are null where left out. */
  record CallArguments(
      List<Expression> positional,
      List<Keyword> keywords,
      Expression spread,
      Expression spreadKeywords) {
    static final CallArguments NONE = new CallArguments(List.of(), List.of(), null, null);
  }

  record Keyword(String name, Expression value) {}
}
