class Demucsps < Formula
  desc "Separates music into stems with Demucs v4 ONNX models"
  homepage "{{repository}}"
  version "{{version}}"
  license "MIT"

  #<part>
  on_macos do
    depends_on arch: :arm64
    url "{{repository}}/releases/download/v{{version}}/demucsps-{{version}}-osx-arm64.tar.gz"
    sha256 "{{sha256:osx-arm64}}"
  end
  #</part>

  on_linux do
    #<part>
    on_intel do
      url "{{repository}}/releases/download/v{{version}}/demucsps-{{version}}-linux-x64.tar.gz"
      sha256 "{{sha256:linux-x64}}"
    end
    #</part>
    #<part>
    on_arm do
      url "{{repository}}/releases/download/v{{version}}/demucsps-{{version}}-linux-arm64.tar.gz"
      sha256 "{{sha256:linux-arm64}}"
    end
    #</part>
  end

  def install
    libexec.install Dir["*"]
    bin.write_exec_script libexec/"demucsps"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/demucsps --version")
  end
end
