package dev.vllmmlx.text.jinja;

/** A method together with the value it was taken from. */
record BoundMethod(Object self, String name, TemplateFunction function)
    implements TemplateFunction {
  @Override
  public Object call(Arguments arguments) {
    return function.call(arguments);
  }
}
