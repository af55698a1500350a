package dev.vllmmlx.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubSettingsTest {
  @TempDir Path home;

  @Test
  void hasTheDefaultsOfPythonsTools() {
    var settings = settings(Map.of());

    assertThat(settings.endpoint()).isEqualTo(URI.create(HubSettings.DEFAULT_ENDPOINT));
    assertThat(settings.token()).isEmpty();
    assertThat(settings.offline()).isFalse();
    assertThat(settings.cache()).isEqualTo(home.resolve(".cache/huggingface/hub"));
    assertThat(settings.timeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(settings.models()).isEqualTo(home.resolve(".cache/vllm-mlx/models"));
  }

  @Test
  void findsTheCacheWhereTheVariablesSay() {
    assertThat(settings(Map.of("XDG_CACHE_HOME", "/x")).cache())
        .isEqualTo(Path.of("/x/huggingface/hub"));
    assertThat(settings(Map.of("XDG_CACHE_HOME", "/x")).models())
        .isEqualTo(Path.of("/x/vllm-mlx/models"));
    assertThat(settings(Map.of("XDG_CACHE_HOME", "/x", "HF_HOME", "~/hf")).cache())
        .isEqualTo(home.resolve("hf/hub"));
    assertThat(settings(Map.of("HF_HOME", "/hf", "HUGGINGFACE_HUB_CACHE", "/old")).cache())
        .isEqualTo(Path.of("/old"));
    assertThat(settings(Map.of("HUGGINGFACE_HUB_CACHE", "/old", "HF_HUB_CACHE", "/c")).cache())
        .isEqualTo(Path.of("/c"));
  }

  @Test
  void readsTheTokenFromTheVariableOrTheFile() throws IOException {
    Files.writeString(home.resolve("token"), " hf_file\n");
    var hfHome = Map.of("HF_HOME", home.toString());

    assertThat(settings(hfHome).token()).contains("hf_file");
    assertThat(settings(with(hfHome, "HF_TOKEN", "hf_env\n")).token()).contains("hf_env");
    assertThat(settings(with(hfHome, "HF_TOKEN", " ")).token()).contains("hf_file");
    assertThat(settings(with(hfHome, "HF_TOKEN_PATH", "/none")).token()).isEmpty();
    assertThat(settings(with(hfHome, "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")).token()).isEmpty();
  }

  @Test
  void doesNotPrintTheToken() {
    assertThat(settings(Map.of("HF_TOKEN", "hf_secret")).toString())
        .doesNotContain("hf_secret")
        .contains("token=set");
  }

  @Test
  void readsTheOtherVariables() {
    assertThat(settings(Map.of("HF_ENDPOINT", "http://mirror:8080/hf/")).endpoint())
        .isEqualTo(URI.create("http://mirror:8080/hf"));
    assertThat(settings(Map.of("HF_HUB_OFFLINE", "1")).offline()).isTrue();
    assertThat(settings(Map.of("HF_HUB_OFFLINE", "Yes")).offline()).isTrue();
    assertThat(settings(Map.of("HF_HUB_OFFLINE", "0")).offline()).isFalse();
    assertThat(settings(Map.of("TRANSFORMERS_OFFLINE", "true")).offline()).isTrue();
    assertThat(settings(Map.of("HF_HUB_DOWNLOAD_TIMEOUT", "30")).timeout())
        .isEqualTo(Duration.ofSeconds(30));
  }

  @Test
  void namesTheVariableThatCannotBeMeant() {
    assertThatThrownBy(() -> settings(Map.of("HF_ENDPOINT", "not an address")))
        .isInstanceOf(HubException.InvalidReference.class)
        .hasMessageContaining("HF_ENDPOINT");
    assertThatThrownBy(() -> settings(Map.of("HF_ENDPOINT", "ftp://x")))
        .hasMessageContaining("HF_ENDPOINT");
    assertThatThrownBy(() -> settings(Map.of("HF_HUB_DOWNLOAD_TIMEOUT", "soon")))
        .isInstanceOf(HubException.InvalidReference.class)
        .hasMessageContaining("HF_HUB_DOWNLOAD_TIMEOUT is 'soon'");
    assertThatThrownBy(() -> settings(Map.of("HF_HUB_DOWNLOAD_TIMEOUT", "0")))
        .hasMessageContaining("above 0");
  }

  private HubSettings settings(Map<String, String> variables) {
    return HubSettings.fromEnvironment(with(variables, "HOME", home.toString()));
  }

  private static Map<String, String> with(Map<String, String> map, String name, String value) {
    var all = new HashMap<>(map);
    all.put(name, value);
    return all;
  }
}
