"""The table of locations: where programs of a developer's machine keep what may hold a credential.

A line with a name begins a program: name, kind, source of the facts, and optionally the environment variable that
moves a folder or file. The lines below are its locations: system, treatment, pattern. A system is `any`, `unix` (Linux
and macOS), `linux`, `macos` or `windows`. In a pattern `~` is the home folder; `{config}` and its like are in
`known_locations.py`; `*` is part of one name, `**` any number of folders. A pattern that begins with `**/` is looked
for below the roots of a search. Of several patterns that match a file the first in the table counts.
"""

TABLE = r"""
Claude Code | agent | https://code.claude.com/docs/en/claude-directory | CLAUDE_CONFIG_DIR=~/.claude
  any | settings | ~/.claude.json
  any | settings | ~/.claude/settings*.json
  any | instructions | ~/.claude/CLAUDE.md
  any | transcript | ~/.claude/**
  any | settings | **/.claude/settings*.json
  any | instructions | **/CLAUDE.md
  any | instructions | **/CLAUDE.local.md
Claude Desktop | agent | https://modelcontextprotocol.io/docs/develop/connect-local-servers
  any | settings | {config}/Claude/claude_desktop_config.json
Codex | agent | https://github.com/openai/codex/blob/main/docs/config.md | CODEX_HOME=~/.codex
  any | settings | ~/.codex/config.toml
  any | instructions | ~/.codex/AGENTS.md
  any | transcript | ~/.codex/**
  any | settings | **/.codex/config.toml
  any | instructions | **/AGENTS.md
  any | instructions | **/AGENTS.override.md
Gemini CLI | agent | https://geminicli.com/docs/reference/configuration
  any | settings | ~/.gemini/settings.json
  any | instructions | ~/.gemini/GEMINI.md
  any | transcript | ~/.gemini/**
  any | settings | **/.gemini/settings.json
  any | instructions | **/GEMINI.md
Cursor | agent | https://cursor.com/docs/context/mcp
  any | settings | ~/.cursor/mcp.json
  any | settings | ~/.cursor/cli-config.json
  any | transcript | ~/.cursor/projects/**
  any | transcript | ~/.cursor/chats/**
  any | settings | **/.cursor/mcp.json
  any | instructions | **/.cursor/rules/*
  any | instructions | **/.cursorrules
OpenClaw | agent | https://docs.openclaw.ai/concepts/agent-workspace | OPENCLAW_STATE_DIR=~/.openclaw
  any | settings | ~/.openclaw/*.json*
  any | settings | ~/.openclaw/.env
  any | instructions | ~/.openclaw/workspace*/**
  any | transcript | ~/.openclaw/**
  any | transcript | ~/.clawdbot/**
  any | instructions | **/TOOLS.md
Copilot CLI | agent | https://docs.github.com/copilot/reference/copilot-cli-reference/cli-config-dir-reference | COPILOT_HOME=~/.copilot
  any | settings | ~/.copilot/*.json
  any | transcript | ~/.copilot/**
  any | instructions | **/.github/copilot-instructions.md
Copilot in JetBrains IDEs | agent | https://docs.github.com/en/copilot/how-tos/provide-context/use-mcp/extend-copilot-chat-with-mcp
  any | settings | {config}/github-copilot/**
  unix | settings | {xdg-config}/github-copilot/**
Windsurf | agent | https://docs.windsurf.com/windsurf/cascade/mcp
  any | settings | ~/.codeium/windsurf/mcp_config.json
  any | transcript | ~/.codeium/windsurf/memories/**
  any | transcript | ~/.codeium/windsurf/cascade/**
  any | instructions | **/.windsurfrules
  any | instructions | **/.windsurf/rules/*
Continue | agent | https://docs.continue.dev/reference | CONTINUE_GLOBAL_DIR=~/.continue
  any | settings | ~/.continue/config.*
  any | settings | ~/.continue/.env
  any | transcript | ~/.continue/sessions/**
  any | transcript | ~/.continue/dev_data/**
  any | transcript | ~/.continue/logs/**
  any | settings | ~/.continue/mcpServers/*
Aider | agent | https://aider.chat/docs/config/options.html
  any | settings | **/.aider.conf.yml
  any | transcript | **/.aider.chat.history.md
  any | transcript | **/.aider.input.history
  any | transcript | **/.aider.llm.history
opencode | agent | https://opencode.ai/docs/config
  any | settings | {xdg-config}/opencode/**
  any | transcript | {data}/opencode/**
  any | settings | **/opencode.json
Goose | agent | https://block.github.io/goose/docs/guides/config-files
  unix | settings | {xdg-config}/goose/**
  unix | transcript | {data}/goose/sessions/**
  windows | settings | {config}/Block/goose/config/**
  windows | transcript | {config}/Block/goose/data/sessions/**
MCP configuration of a project | agent | https://code.visualstudio.com/docs/copilot/reference/mcp-configuration
  any | settings | **/.mcp.json
  any | settings | **/.vscode/mcp.json
  any | settings | **/mcp.json
  any | settings | {vscode}/User/mcp.json
  any | settings | **/.roo/mcp.json

Environment file | environment | https://12factor.net/config
  any | env-file | **/.env*
  any | env-file | **/*.env
  any | env-file | **/env.sh

bash | shell | https://www.gnu.org/software/bash/manual/html_node/Bash-History-Facilities.html | HISTFILE=~/.bash_history
  any | bash-history | ~/.bash_history
  macos | bash-history | ~/.bash_sessions/*
  any | startup | ~/.bashrc
  any | startup | ~/.bash_profile
  any | startup | ~/.bash_login
  any | startup | ~/.bash_aliases
  any | startup | ~/.profile
zsh | shell | https://zsh.sourceforge.io/Doc/Release/Files.html | ZDOTDIR=~
  any | zsh-history | ~/.zsh_history
  any | zsh-history | ~/.zhistory
  any | zsh-history | ~/.histfile
  macos | zsh-history | ~/.zsh_sessions/*
  any | startup | ~/.zshrc
  any | startup | ~/.zshenv
  any | startup | ~/.zprofile
  any | startup | ~/.zlogin
fish | shell | https://fishshell.com/docs/current/cmds/history.html
  unix | fish-history | {data}/fish/*_history
  unix | startup | {xdg-config}/fish/fish_variables
  unix | startup | {xdg-config}/fish/**/*.fish
PowerShell | shell | https://learn.microsoft.com/en-us/powershell/module/psreadline/set-psreadlineoption
  windows | powershell-history | {config}/Microsoft/Windows/PowerShell/PSReadLine/*_history.txt
  unix | powershell-history | {data}/powershell/PSReadLine/*_history.txt
  windows | startup | ~/Documents/PowerShell/*profile.ps1
  windows | startup | ~/Documents/WindowsPowerShell/*profile.ps1
  unix | startup | {xdg-config}/powershell/*profile.ps1
Nushell | shell | https://www.nushell.sh/book/line_editor.html
  any | line-history | {config}/nushell/history.*
  any | startup | {config}/nushell/*.nu
Other shells | shell | https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sh.html
  unix | line-history | ~/.sh_history
  unix | line-history | ~/.ksh_history
  unix | line-history | ~/.history
  unix | line-history | {state}/xonsh/**
Atuin | shell | https://docs.atuin.sh/configuration/config
  unix | database | {data}/atuin/*.db*

Python | repl | https://docs.python.org/3/using/cmdline.html#envvar-PYTHON_HISTORY | PYTHON_HISTORY=~/.python_history
  any | line-history | ~/.python_history
IPython | repl | https://ipython.readthedocs.io/en/stable/config/intro.html | IPYTHONDIR=~/.ipython
  any | database | ~/.ipython/profile_*/history.sqlite*
  any | startup | ~/.ipython/profile_*/startup/*
Node.js | repl | https://nodejs.org/api/repl.html#environment-variable-options | NODE_REPL_HISTORY=~/.node_repl_history
  any | line-history | ~/.node_repl_history
SQLite | repl | https://sqlite.org/cli.html | SQLITE_HISTORY=~/.sqlite_history
  any | line-history | ~/.sqlite_history
PostgreSQL | repl | https://www.postgresql.org/docs/current/app-psql.html | PSQL_HISTORY=~/.psql_history*
  unix | line-history | ~/.psql_history*
  windows | line-history | {config}/postgresql/psql_history
MySQL | repl | https://dev.mysql.com/doc/refman/8.4/en/mysql-logging.html | MYSQL_HISTFILE=~/.mysql_history
  unix | line-history | ~/.mysql_history
  unix | line-history | ~/.mariadb_history
Redis | repl | https://redis.io/docs/latest/develop/tools/cli/ | REDISCLI_HISTFILE=~/.rediscli_history
  any | line-history | ~/.rediscli_history
MongoDB | repl | https://www.mongodb.com/docs/mongodb-shell/logs/
  any | line-history | ~/.mongodb/mongosh/**
  any | line-history | ~/.dbshell
Other interpreters | repl | https://docs.julialang.org/en/v1/stdlib/REPL/
  any | line-history | ~/.julia/logs/repl_history.jl
  any | line-history | ~/.Rhistory
  any | startup | ~/.Renviron
  any | line-history | ~/.irb_history
  any | line-history | ~/.php_history
  any | line-history | ~/.scala_history
less | repl | https://www.greenwoodsoftware.com/less/ | LESSHISTFILE=~/.lesshst
  unix | line-history | ~/.lesshst

netrc | credentials | https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html | NETRC=~/.netrc
  any | credentials | ~/.netrc
  any | credentials | ~/_netrc
  any | credentials | ~/.authinfo
git | credentials | https://git-scm.com/docs/git-credential-store
  any | credentials | ~/.git-credentials
  any | credentials | {xdg-config}/git/credentials
  any | credentials | ~/.gitconfig
Package managers | credentials | https://packaging.python.org/en/latest/specifications/pypirc/
  any | credentials | ~/.pypirc
  any | credentials | ~/.npmrc
  any | credentials | ~/.pgpass
HTTP clients | credentials | https://curl.se/docs/manpage.html
  any | credentials | ~/.curlrc
  any | credentials | ~/.wgetrc
  any | credentials | {xdg-config}/httpie/**
  any | database | {config}/Insomnia/*.db
  any | settings | **/http-client*.env.json
  any | settings | **/*.postman_environment.json
  any | settings | **/*.postman_collection.json

VS Code and its kin | editor | https://code.visualstudio.com/docs/configure/settings
  any | settings | {vscode}/User/settings.json
  any | local-history | {vscode}/User/History/**
  any | local-history | {vscode}/Backups/**
  any | database | {vscode}/User/globalStorage/state.vscdb*
  any | database | {vscode}/User/workspaceStorage/*/state.vscdb*
  any | transcript | {vscode}/User/workspaceStorage/*/chatSessions/**
  any | transcript | {vscode}/User/workspaceStorage/*/chatEditingSessions/**
  any | transcript | {vscode}/User/globalStorage/*/tasks/**
  any | settings | {vscode}/User/globalStorage/*/settings/*.json
  any | local-history | ~/.vscode-server/data/User/History/**
  any | settings | **/.vscode/launch.json
  any | settings | **/.vscode/settings.json
  any | settings | **/.vscode/tasks.json
JetBrains IDEs | editor | https://www.jetbrains.com/help/idea/directories-used-by-the-ide-to-store-settings-caches-plugins-and-logs.html
  any | packed-history | {cache}/JetBrains/*/LocalHistory/**
  any | local-history | {config}/JetBrains/*/scratches/**
  any | local-history | {config}/JetBrains/*/consoles/**
  any | settings | {config}/JetBrains/*/options/*.xml
  any | settings | **/.idea/workspace.xml
  any | settings | **/.idea/runConfigurations/*.xml
  any | settings | **/.idea/httpRequests/*
  any | settings | **/.run/*.run.xml
Vim and Neovim | editor | https://vimhelp.org/starting.txt.html
  any | line-history | ~/.viminfo
  any | line-history | ~/_viminfo
  any | local-history | ~/.vim/undo/*
  unix | line-history | {state}/nvim/shada/*
  unix | local-history | {state}/nvim/undo/*
  unix | local-history | {state}/nvim/swap/*
  windows | line-history | {local}/nvim-data/shada/*
  any | local-history | **/.*.sw?
Emacs | editor | https://www.gnu.org/software/emacs/manual/html_node/emacs/Auto-Save.html
  any | local-history | ~/.emacs.d/auto-save-list/*
  any | local-history | ~/.emacs.d/backups/**
Sublime Text | editor | https://www.sublimetext.com/docs/side_by_side.html
  any | local-history | {config}/sublime-text/Local/*.sublime_session
  macos | local-history | {config}/Sublime Text/Local/*.sublime_session
  windows | local-history | {config}/Sublime Text/Local/*.sublime_session
Notepad++ | editor | https://npp-user-manual.org/docs/config-files/
  windows | local-history | {config}/Notepad++/backup/*
Windows Notepad | editor | https://support.microsoft.com/windows
  windows | local-history | {local}/Packages/Microsoft.WindowsNotepad_8wekyb3d8bbwe/LocalState/TabState/*
Zed | editor | https://zed.dev/docs/configuring-zed
  any | settings | {xdg-config}/zed/settings.json
  linux | database | {data}/zed/**/*.db*
  macos | database | {config}/Zed/**/*.db*

Jupyter | notebook | https://jupyter-notebook.readthedocs.io/en/stable/
  any | checkpoint | **/.ipynb_checkpoints/*
  any | notebook | **/*.ipynb

freqtrade | bot | https://www.freqtrade.io/en/stable/configuration/
  any | bot-settings | **/user_data/*.json
  any | log | **/user_data/logs/*
  any | bot-settings | **/config-private*.json
  any | bot-settings | **/freqtrade*/*config*.json
hummingbot | bot | https://hummingbot.org/client/config-files/
  any | bot-settings | **/conf/connectors/*.yml
  any | bot-settings | **/conf/conf_*.yml
  any | bot-settings | **/conf/scripts/*.yml
  any | log | **/hummingbot*/logs/*
OctoBot | bot | https://www.octobot.cloud/en/guides/octobot-configuration/exchanges
  any | bot-settings | **/user/config.json
  any | bot-settings | **/user/profiles/*/profile.json
Jesse | bot | https://docs.jesse.trade/docs/configuration
  any | bot-settings | **/jesse*/config.py
  any | bot-settings | **/live-config.py
Gekko | bot | https://gekko.wizb.it/docs/commandline/tradebot.html
  any | bot-settings | **/SECRET-api-keys.json
  any | bot-settings | **/gekko*/*config.js
Zenbot | bot | https://github.com/DeviaVir/zenbot
  any | bot-settings | **/zenbot*/conf*.js
Superalgos | bot | https://github.com/Superalgos/Superalgos
  any | bot-settings | **/My-Workspaces/**/*.json
ccxt | bot | https://github.com/ccxt/ccxt/blob/master/CONTRIBUTING.md
  any | bot-settings | **/keys.json
  any | bot-settings | **/keys.local.json
passivbot | bot | https://github.com/enarjord/passivbot
  any | bot-settings | **/api-keys.json
binance-trade-bot | bot | https://github.com/edeng23/binance-trade-bot
  any | bot-settings | **/user.cfg
Lean | bot | https://www.quantconnect.com/docs/v2/lean-cli/api-reference/lean-config
  any | bot-settings | ~/.lean/*
  any | bot-settings | **/lean.json

PM2 | service | https://pm2.keymetrics.io/docs/usage/startup/ | PM2_HOME=~/.pm2
  any | startup | ~/.pm2/dump.pm2*
  any | log | ~/.pm2/logs/*
systemd | service | https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html
  linux | startup | {xdg-config}/systemd/user/**
  linux | startup | {xdg-config}/environment.d/*
pam_env | service | https://man7.org/linux/man-pages/man8/pam_env.8.html
  linux | startup | ~/.pam_environment
launchd | service | https://developer.apple.com/library/archive/documentation/MacOSX/Conceptual/BPSystemStartup/
  macos | startup | ~/Library/LaunchAgents/*.plist
Docker Compose | service | https://docs.docker.com/compose/how-tos/environment-variables/
  any | startup | **/docker-compose*.y*ml
  any | startup | **/compose*.y*ml

Klipper | clipboard | https://userbase.kde.org/Klipper
  linux | clipboard | {data}/klipper/*
CopyQ | clipboard | https://copyq.readthedocs.io/en/latest/faq.html
  linux | clipboard | {xdg-config}/copyq/*
  macos | clipboard | {config}/copyq/*
  windows | clipboard | {config}/copyq/*
GPaste | clipboard | https://github.com/Keruspe/GPaste
  linux | clipboard | {data}/gpaste/*
cliphist | clipboard | https://github.com/sentriz/cliphist
  linux | clipboard | {cache}/cliphist/*
Maccy | clipboard | https://github.com/p0deje/Maccy
  macos | clipboard | ~/Library/Containers/org.p0deje.Maccy/Data/Library/Application Support/Maccy/*
Alfred | clipboard | https://www.alfredapp.com/help/features/clipboard/
  macos | clipboard | {config}/Alfred/Databases/clipboard.alfdb*
Ditto | clipboard | https://ditto-cp.sourceforge.io/
  windows | clipboard | {config}/Ditto/*.db*

Markdown notes | notes | https://help.obsidian.md/data-storage
  any | notes | **/*.md
Joplin | notes | https://joplinapp.org/help/apps/config_screen
  unix | notes | ~/.config/joplin-desktop/database.sqlite*
  windows | notes | ~/.config/joplin-desktop/database.sqlite*
Apple Notes | notes | https://support.apple.com/guide/notes/welcome/mac
  macos | notes | ~/Library/Group Containers/group.com.apple.notes/NoteStore.sqlite*
Sticky Notes | notes | https://support.microsoft.com/windows
  windows | notes | {local}/Packages/Microsoft.MicrosoftStickyNotes_8wekyb3d8bbwe/LocalState/plum.sqlite*
Tomboy and GNOME Notes | notes | https://wiki.gnome.org/Apps/Notes
  linux | notes | {data}/tomboy/*.note
  linux | notes | {data}/bijiben/*.note
  linux | notes | {data}/gnote/*.note
"""  # noqa: E501 - an address is not cut
