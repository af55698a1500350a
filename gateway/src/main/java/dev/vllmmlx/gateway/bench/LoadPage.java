package dev.vllmmlx.gateway.bench;

import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** The figures of a load as one HTML page with plots: nothing is fetched from elsewhere. */
final class LoadPage {
  private static final int WIDTH = 460;
  private static final int HEIGHT = 260;
  private static final int LEFT = 56;
  private static final int BOTTOM = 36;
  private static final int TOP = 32;
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
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em; color: #1f2937; }
        pre { font-size: 12.5px; overflow-x: auto; background: #f3f4f6; padding: 1em; border-radius: 6px; }
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
            bars(
                    "Tokens a second, all streams",
                    figures.levels(),
                    "%.0f",
                    List.of(new Series("", LevelFigures::throughput)))
                + times(
                    "Time to the first token, ms", figures, LevelFigures::firstToken, 1000, "%.0f"),
            times("Time between tokens, ms", figures, LevelFigures::gap, 1000, "%.0f")
                + times("Whole answer, seconds", figures, LevelFigures::total, 1, "%.1f"),
            distribution(figures.levels()));
  }

  /** One of the bars that each level has. */
  private record Series(String name, ToDoubleFunction<LevelFigures> value) {}

  /** The median and what one in twenty and one in a hundred exceed. */
  private static String times(
      String title,
      LoadFigures figures,
      Function<LevelFigures, Percentiles> of,
      double scale,
      String format) {
    return bars(
        title,
        figures.levels(),
        format,
        List.of(
            new Series("p50", level -> scale * of.apply(level).p50()),
            new Series("p95", level -> scale * of.apply(level).p95()),
            new Series("p99", level -> scale * of.apply(level).p99())));
  }

  private static String bars(
      String title, List<LevelFigures> levels, String format, List<Series> series) {
    var most =
        series.stream()
            .flatMapToDouble(each -> levels.stream().mapToDouble(each.value()))
            .max()
            .orElse(0);
    var svg = new StringBuilder();
    var group = (WIDTH - LEFT) / (double) Math.max(1, levels.size());
    var width = group * 0.8 / series.size();
    for (var i = 0; i < levels.size(); i++) {
      var left = LEFT + group * (i + 0.1);
      for (var j = 0; j < series.size(); j++) {
        var value = series.get(j).value().applyAsDouble(levels.get(i));
        var height = most == 0 ? 0 : value / most * (HEIGHT - BOTTOM - TOP);
        var x = left + j * width;
        var y = HEIGHT - BOTTOM - height;
        svg.append(
            text(
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
                x, y, width * 0.92, height, COLOURS.get(j)));
        svg.append(label(x + width * 0.46, y - 4, text(format, value)));
      }
      svg.append(label(left + group * 0.4, HEIGHT - BOTTOM + 16, streams(levels.get(i))));
    }
    for (var j = 0; j < series.size() && series.size() > 1; j++) {
      var x = LEFT + 8 + 40 * j;
      svg.append(
          text(
              "<text x=\"%d\" y=\"12\" style=\"fill:%s\">%s</text>\n",
              x, COLOURS.get(j), escaped(series.get(j).name())));
    }
    return figure(title, svg.toString());
  }

  private static String streams(LevelFigures level) {
    return level.concurrency() == 1 ? "1 stream" : level.concurrency() + " streams";
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
        var y = HEIGHT - BOTTOM - (j + 1.0) / times.size() * (HEIGHT - BOTTOM - TOP);
        points.append(text("%.1f,%.1f ", x, y));
      }
      var colour = COLOURS.get(i % COLOURS.size());
      svg.append(
          text(
              "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"%s\"/>\n",
              colour, points.toString().strip()));
      svg.append(
          text(
              "<text x=\"%d\" y=\"%d\" style=\"fill:%s\">%s</text>\n",
              WIDTH - 80, HEIGHT - BOTTOM - 10 - 14 * i, colour, streams(levels.get(i))));
    }
    svg.append(label(LEFT, HEIGHT - BOTTOM + 16, "0"));
    svg.append(label(WIDTH - 40, HEIGHT - BOTTOM + 16, text("%.0f ms", 1000 * most.orElse(0))));
    svg.append(label(LEFT - 22, TOP + 4, "100%"));
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
