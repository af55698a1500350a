package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.TemplateException.Kind;

/**
 * What a name, key or attribute that does not exist evaluates to: prints as nothing, is false and
 * empty, and raises where anything else is done with it.
 */
final class Undefined {
  private final String hint;
  private final Object owner;
  private final Object name;
  private final Kind kind;

  private Undefined(String hint, Object owner, Object name, Kind kind) {
    this.hint = hint;
    this.owner = owner;
    this.name = name;
    this.kind = kind;
  }

  static Undefined named(String name) {
    return new Undefined(null, Missing.VALUE, name, Kind.UNDEFINED);
  }

  static Undefined because(String hint) {
    return new Undefined(hint, Missing.VALUE, null, Kind.UNDEFINED);
  }

  static Undefined of(Object owner, Object name) {
    return new Undefined(null, owner, name, Kind.UNDEFINED);
  }

  /** An attribute that exists and that the sandbox does not give out. */
  static Undefined unsafe(Object owner, String attribute) {
    var hint =
        "access to attribute %s of %s object is unsafe."
            .formatted(PyRepr.repr(attribute), PyRepr.repr(PyTypes.name(owner)));
    return new Undefined(hint, owner, attribute, Kind.SECURITY);
  }

  TemplateException failure() {
    return new TemplateException(kind, message());
  }

  private String message() {
    if (hint != null) {
      return hint;
    }
    if (owner == Missing.VALUE) {
      return PyRepr.repr(name) + " is undefined";
    }
    var what = PyTypes.describe(owner);
    return name instanceof String
        ? PyRepr.repr(what) + " has no attribute " + PyRepr.repr(name)
        : what + " has no element " + PyRepr.repr(name);
  }

  /** All undefined values are equal. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Undefined;
  }

  @Override
  public int hashCode() {
    return 1;
  }
}
