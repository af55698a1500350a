package dev.vllmmlx.gateway.bench;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** The figures of a load as one HTML page with plots: nothing is fetched from elsewhere. */
final class LoadPage {
  private static final int WIDTH = 460;
  private static final int HEIGHT = 260;
  private static final int LEFT = 56;
  private static final int BOTTOM = 36;
  private static final List<String> COLOURS =
      List.of("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2");

  private LoadPage() {}

  static String of(LoadFigures figures) {
    return """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <title>Load on %1$s</title>
        <style>
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 980px; margin: 2em auto; padding: 0 1em; color: #1f2937; }
        pre { overflow-x: auto; background: #f3f4f6; padding: 1em; border-radius: 6px; }
        figure { display: inline-block; margin: 0 1em 1em 0; }
        figcaption { font-weight: 600; }
        text { font: 11px system-ui, sans-serif; fill: #4b5563; }
        </style>
        </head>
        <body>
        <h1>Load on %1$s</h1>
        <pre>%2$s</pre>
        %3$s
        %4$s
        %5$s
        </body>
        </html>
        """
        .formatted(
            escaped(figures.model()),
            escaped(LoadReport.table(figures)),
            bars("Tokens a second, all streams", figures.levels(), LevelFigures::throughput),
            bars(
                "Time to the first token, p95 in ms",
                figures.levels(),
                level -> 1000 * level.firstToken().p95()),
            distribution(figures.levels()));
  }

  private static String bars(
      String title, List<LevelFigures> levels, ToDoubleFunction<LevelFigures> value) {
    var most = levels.stream().mapToDouble(value).max().orElse(0);
    var svg = new StringBuilder();
    var width = (WIDTH - LEFT) / (double) Math.max(1, levels.size());
    for (var i = 0; i < levels.size(); i++) {
      var height =
          most == 0 ? 0 : value.applyAsDouble(levels.get(i)) / most * (HEIGHT - BOTTOM - 20);
      var x = LEFT + i * width + width * 0.15;
      var y = HEIGHT - BOTTOM - height;
      svg.append(
          text(
              "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
              x, y, width * 0.7, height, COLOURS.getFirst()));
      svg.append(label(x + width * 0.35, y - 4, text("%.0f", value.applyAsDouble(levels.get(i)))));
      svg.append(
          label(x + width * 0.35, HEIGHT - BOTTOM + 16, levels.get(i).concurrency() + " streams"));
    }
    return figure(title, svg.toString());
  }

  /** The share of requests whose first token came within a time. */
  private static String distribution(List<LevelFigures> levels) {
    var most =
        levels.stream().flatMap(level -> level.firstTokens().stream()).mapToDouble(t -> t).max();
    var svg = new StringBuilder();
    for (var i = 0; i < levels.size() && most.orElse(0) > 0; i++) {
      var times = levels.get(i).firstTokens();
      var points = new StringBuilder();
      for (var j = 0; j < times.size(); j++) {
        var x = LEFT + times.get(j) / most.getAsDouble() * (WIDTH - LEFT - 20);
        var y = HEIGHT - BOTTOM - (j + 1.0) / times.size() * (HEIGHT - BOTTOM - 20);
        points.append(text("%.1f,%.1f ", x, y));
      }
      var colour = COLOURS.get(i % COLOURS.size());
      svg.append(
          text(
              "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"%s\"/>\n",
              colour, points.toString().strip()));
      svg.append(
          text(
              "<text x=\"%d\" y=\"%d\" style=\"fill:%s\">%d streams</text>\n",
              LEFT + 8, 30 + 14 * i, colour, levels.get(i).concurrency()));
    }
    svg.append(label(LEFT, HEIGHT - BOTTOM + 16, "0"));
    svg.append(label(WIDTH - 40, HEIGHT - BOTTOM + 16, text("%.0f ms", 1000 * most.orElse(0))));
    svg.append(label(LEFT - 22, 24, "100%"));
    return figure("First token within, share of requests", svg.toString());
  }

  private static String figure(String title, String svg) {
    return """
        <figure>
        <figcaption>%s</figcaption>
        <svg width="%d" height="%d" viewBox="0 0 %d %d" xmlns="http://www.w3.org/2000/svg">
        <line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#9ca3af"/>
        <line x1="%d" y1="10" x2="%d" y2="%d" stroke="#9ca3af"/>
        %s</svg>
        </figure>
        """
        .formatted(
            escaped(title),
            WIDTH,
            HEIGHT,
            WIDTH,
            HEIGHT,
            LEFT,
            HEIGHT - BOTTOM,
            WIDTH,
            HEIGHT - BOTTOM,
            LEFT,
            LEFT,
            HEIGHT - BOTTOM,
            svg);
  }

  private static String label(double x, double y, String text) {
    return text(
        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", x, y, escaped(text));
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
