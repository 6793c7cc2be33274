@echo off
rem For a double click in the Explorer: runs install.ps1, whatever the execution policy of this machine is.
powershell -NoProfile -ExecutionPolicy Bypass -File "%~dp0install.ps1" %*
pause
