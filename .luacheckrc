-- Settings of luacheck for the Neovim client; scripts/luacheck.sh runs it.
std = "luajit"
cache = false
max_line_length = 100
read_globals = { "vim" }
-- Fields of `vim` that exist to be assigned.
globals = { "vim.b", "vim.bo", "vim.g", "vim.o", "vim.w", "vim.wo" }
