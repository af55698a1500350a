package dev.vllmmlx.gateway.cli;

import io.vertx.ext.web.handler.CorsHandler;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads where a web page comes from, as browsers say it: scheme, host and port, and no path. */
final class OriginOption implements ITypeConverter<String> {

  @Override
  public String convert(String text) {
    if (!text.equals("*") && !(text.matches("[^/]+://[^/?#]+") && isTaken(text))) {
      throw new TypeConversionException(
          "\"%s\" is not an origin such as https://chat.example.org or http://localhost:3000, and not *"
              .formatted(text));
    }
    return text;
  }

  // The handler that will compare has the last word, and better now than after a model is loaded.
  private static boolean isTaken(String origin) {
    try {
      CorsHandler.create().addOrigin(origin);
      return true;
    } catch (IllegalStateException | IllegalArgumentException _) {
      return false;
    }
  }
}
